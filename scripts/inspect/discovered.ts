import type { StackConfig } from '../../stack/config.ts';
import { explainUnscraped } from '../../stack/discovery/targets.ts';
import { counted, listedNames } from '../../stack/values/words.ts';
import type { Engine } from '../engine/engine.ts';
import { discoveringService, findTargets } from '../state/discovery.ts';
import type { ProbedService, StatusProblem } from './probe.ts';

/** The services with the discovered targets at the one that scrapes them, and what is wrong with them. */
export async function withDiscovered(
  probed: readonly ProbedService[],
  engine: Engine,
  config: StackConfig,
): Promise<readonly ProbedService[]> {
  const name = discoveringService(config)?.name;
  const isRunning = probed.some(({ status }) => status.service === name && status.state === 'running');
  const found = isRunning ? await findTargets(engine, config) : undefined;
  if (found === undefined || name === undefined) return probed;
  const { groups, unscraped, added, removed, isWritten } = found;
  const refused = unscraped.reduce((sum, { containers }) => sum + containers.length, 0);
  const problems = unscraped.map((refusal): StatusProblem => {
    return { tone: 'wrong', service: name, message: explainUnscraped(refusal), tryThis: refusal.tryThis };
  });
  const tone = refused > 0 ? 'wrong' : isWritten ? 'right' : 'notice';
  const text = `${counted(groups.length, 'target')}${refused === 0 ? '' : `, ${counted(refused, 'container')} not scraped`}`;
  const indicator = {
    label: 'discovered',
    text,
    values: { targets: groups.length, unscraped: refused, isCurrent: isWritten },
    tone,
  } as const;
  return probed.map(({ status, problems: own }) => {
    if (status.service !== name) return { status, problems: own };
    const late = isWritten ? [] : [outOfDate(name, added, removed)];
    return { status: { ...status, vitals: [...status.vitals, indicator] }, problems: [...own, ...problems, ...late] };
  });
}

function outOfDate(service: string, added: readonly string[], removed: readonly string[]): StatusProblem {
  const changes = [
    ...(added.length === 0 ? [] : [`${listedNames(added)} ${added.length === 1 ? 'is' : 'are'} missing`]),
    ...(removed.length === 0 ? [] : [`${listedNames(removed)} ${removed.length === 1 ? 'is' : 'are'} gone`]),
  ];
  const list = changes.length === 0 ? '' : `: ${changes.join(', ')}`;
  return {
    tone: 'notice',
    service,
    message: `its discovered targets are out of date${list}`,
    tryThis: 'promstack reload once, or keep promstack watch running, which follows the containers',
  };
}
