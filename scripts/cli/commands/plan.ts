import * as z from 'zod';
import type { AlertRule } from '../../../stack/alert.ts';
import type { StackConfig } from '../../../stack/config.ts';
import { isSwarm } from '../../../stack/swarm/replicas.ts';
import type { Engine } from '../../engine/engine.ts';
import type { ChangeCost } from '../../inspect/change-cost.ts';
import type { FindEdits } from '../../plan/observe.ts';
import { hasVisibleSteps, printSteps } from '../../plan/plan.ts';
import { type PlanReport, planStack } from '../../plan/plan-stack.ts';
import { openEdits, serverProblems } from '../../servers/problems.ts';
import { PrometheusClient } from '../../servers/prometheus.ts';
import { NoAnswerError, openServers } from '../../servers/servers.ts';
import type { ServiceClient } from '../../state/service-client.ts';
import { misuse } from '../../util/misuse.ts';
import { InputError, StackError } from '../../util/stack-error.ts';
import { type Context, exitCodes } from '../context.ts';
import { backtestSchema, toJsonBacktest } from '../json/backtest.ts';
import { planSchema, toJsonCost, toJsonDifference, toJsonPlan } from '../json/plan.ts';
import { printBacktest } from '../print/backtest.ts';
import { printCost } from '../print/cost.ts';
import { printImages, printPlan, printReport } from '../print/plan.ts';
import { checkChoice, readDuration, readMaxFires, refuseChoiceOnSwarm } from './arguments.ts';
import { defineCommand } from './command.ts';
import { formatOption, showDifference } from './diff.ts';
import { renderAndConnect } from './stages.ts';

/** How long the queries about the cost of a plan may take together. */
const costTimeoutMs = 10_000;
/** How long the queries of `--backtest` may take together. */
const backtestTimeoutMs = 120_000;

export const command = defineCommand({
  details:
    'Compares the engine with stack.yml and prints what `up` would do to each service and why, which data is at ' +
    'risk, what was changed manually, which alerts are added, removed, changed or routed differently, a diff ' +
    'of the files with secrets masked, and what the change does to the number of series and samples, as far as the ' +
    'running Prometheus knows it. Changes nothing. With --against it compares with a revision in git instead, ' +
    'without an engine, as `diff` does.',
  examples: [
    { line: 'plan', what: 'show pending changes' },
    { line: 'plan --summary', what: 'without the diff of the files' },
    { line: 'plan --against origin/main', what: 'for CI: what a branch changes, without an engine' },
    { line: 'plan --detailed-exitcode', what: 'for scripts: exit 0 without changes, 3 with changes' },
  ],
  syntax: (blank) =>
    blank
      .option('--summary', 'show only the action for each service')
      .option('--steps', 'list every engine call in order')
      .option('--detailed-exitcode', 'exit 3 if there are changes')
      .option('--against <revision>', 'compare with the same files at a git revision, without an engine')
      .addOption(formatOption())
      .option('--recreate', 'plan for `up --recreate`')
      .option('--without <service...>', 'plan for `up --without`')
      .option('--with <service...>', 'plan for `up --with`')
      .option('--backtest <duration>', 'show how often added and changed alerts would have fired')
      .option('--max-fires <number>', 'with --backtest: exit 1 if one of them fires more often'),
  json: () =>
    z.strictObject({ ...planSchema().shape, backtest: backtestSchema().optional().describe('with --backtest') }),
  run: async (context, options) => {
    const { summary, steps, detailedExitcode, against, format, recreate, without, with: added, maxFires } = options;
    checkChoice(without, added);
    const sinceMs = options.backtest === undefined ? undefined : readDuration('--backtest', options.backtest);
    const limit = readMaxFires(maxFires);
    if (limit !== undefined && sinceMs === undefined)
      throw new InputError([misuse('--max-fires needs --backtest', 'add --backtest 7d')]);
    if (against !== undefined) {
      const isCombined = [steps, recreate, without, added, options.backtest].some((option) => option !== undefined);
      if (isCombined) throw new InputError([misuse('--against asks no engine', 'use it without options about one')]);
      const { compared, code } = await showDifference(context, [against, undefined], options);
      const { isNew: _, ...difference } = toJsonDifference(compared);
      const { revision } = compared.plan;
      const unknown = { steps: [], problems: [], drift: [], substitutes: [], absentImages: [] };
      context.result({ ...difference, ...unknown, revision });
      return code;
    }
    if (format !== 'text') {
      throw new InputError([misuse(`--format ${format} needs --against`, 'name a git revision with --against')]);
    }
    const connected = await renderAndConnect(context, { without, added, needsSecrets: false });
    await using _engine = connected.engine;
    if (isSwarm(connected.rendering.config)) {
      if (sinceMs !== undefined) throw new InputError([misuse('--backtest: not for a stack with the target swarm')]);
      refuseChoiceOnSwarm(without, added);
      const { showSwarmPlan } = await import('./swarm.ts');
      const shown = await showSwarmPlan(context, connected, { recreate, summary, steps });
      context.result(shown.json);
      reportObstacles(context, shown);
      return detailedExitcode === true && shown.isPending ? exitCodes.changesPending : exitCodes.fine;
    }
    const shown = await showPlan(context, connected, { recreate, summary });
    context.result(shown.json);
    if (steps === true) context.stdout.write(`\n${printSteps(shown.plan.steps)}`);
    reportObstacles(context, shown);
    if (sinceMs !== undefined) {
      const { json, exitCode } = await backtestPlan(context, connected, shown.stackFiles, { sinceMs, maxFires: limit });
      context.result({ ...shown.json, backtest: json });
      if (exitCode !== exitCodes.fine) return exitCode;
    }
    const isPending = hasVisibleSteps(shown.plan) || shown.obstacle !== undefined;
    return detailedExitcode === true && isPending ? exitCodes.changesPending : exitCodes.fine;
  },
});

/** Evaluates the alerts that the plan adds or changes, and prints how often they would have fired. */
async function backtestPlan(
  context: Pick<Context, 'clock' | 'signal' | 'stdout' | 'report'>,
  { engine, rendering }: Awaited<ReturnType<typeof renderAndConnect>>,
  { before, after }: ShownPlan['stackFiles'],
  { sinceMs, maxFires }: { readonly sinceMs: number; readonly maxFires: number | undefined },
) {
  const { backtestStack, assessBacktest, requireRules } = await import('./backtest.ts');
  requireRules(rendering);
  const isWanted = (_: AlertRule, isChanged: boolean): boolean => isChanged;
  const options = { before, after, isWanted, sinceMs, timeoutMs: backtestTimeoutMs };
  const backtest = await backtestStack(context, engine, rendering, options);
  const json = toJsonBacktest(backtest);
  if (backtest.alerts.length === 0) {
    const text = 'no backtest: the plan adds no alert, and changes none in when it fires';
    context.report({ kind: 'note', isResult: true, text });
    return { json, exitCode: exitCodes.fine };
  }
  context.stdout.write(`\n${printBacktest(backtest, context.stdout.colours)}`);
  return { json, exitCode: assessBacktest(context, backtest, maxFires) };
}

type ShownPlan = Awaited<ReturnType<typeof showPlan>>;

/** Plans what `up` would do, and prints it; changes nothing. */
export async function showPlan(
  { stdout, clock, signal }: Pick<Context, 'stdout' | 'clock' | 'signal'>,
  { rendering, engine }: Awaited<ReturnType<typeof renderAndConnect>>,
  { recreate, summary }: { readonly recreate?: true | undefined; readonly summary?: true | undefined },
) {
  const { config } = rendering;
  const found = serverProblems({
    ...{ engine, config, clock, signal },
    filesOf: (name) => rendering.services.find(({ service }) => service.name === name)?.files,
  });
  const findEdits = (client: ServiceClient): FindEdits => {
    const edits = openEdits({ engine, config, client, clock, signal });
    // A server that rejects the password is asked once.
    return async (service, ...rest) =>
      (await found).some((problem) => problem.service === service.name) ? [] : edits(service, ...rest);
  };
  const [report, problems] = await Promise.all([
    planStack({ engine, rendering, recreate: recreate === true, findEdits }),
    found,
  ]);
  const { plan } = report;
  const cost = plan.steps.length === 0 ? undefined : await costOf({ clock, signal }, engine, config, report.stackFiles);
  const costText = cost === undefined ? '' : `\n${printCost(cost)}`;
  stdout.write(
    summary === true
      ? printPlan(plan) + printImages(report, stdout.colours)
      : printReport(report, stdout.colours) + costText,
  );
  const json = {
    ...toJsonPlan(report),
    cost: cost && toJsonCost(cost),
    problems: problems.map(({ service, message, tryThis }) => ({ service, message, try: tryThis })),
  };
  return { ...report, problems, json };
}

/** What the plan does to the number of series and samples; undefined when that is nothing, or no Prometheus runs that could say it. */
async function costOf(
  { clock, signal }: Pick<Context, 'clock' | 'signal'>,
  engine: Engine,
  config: StackConfig,
  { before, after }: PlanReport['stackFiles'],
): Promise<ChangeCost | undefined> {
  const { enabled, mode, retention } = config.prometheus;
  if (!enabled || mode !== 'server' || !before.some(({ service }) => service.alerts !== undefined)) return undefined;
  const { changeCost } = await import('../../inspect/change-cost.ts');
  const deadline = AbortSignal.timeout(costTimeoutMs);
  const servers = await openServers(engine, config, AbortSignal.any([signal, deadline]));
  try {
    await servers.mustRun('prometheus');
    const client = new PrometheusClient(servers);
    return await changeCost({ client, before, after, retention: retention.time, nowMs: clock.now(), deadline, signal });
  } catch (error) {
    if (error instanceof NoAnswerError && error.isDown) return undefined;
    throw error;
  } finally {
    servers.close();
  }
}

/** Reports what would keep `up` from applying a plan. */
export function reportObstacles(
  { report }: Pick<Context, 'report'>,
  { volumesNote, obstacle, problems }: Pick<ShownPlan, 'volumesNote' | 'obstacle' | 'problems'>,
): void {
  if (volumesNote !== undefined) report({ kind: 'note', text: volumesNote });
  if (obstacle !== undefined) {
    const { message } = new StackError(obstacle);
    const verb = obstacle.isAsked ? 'ask about' : 'refuse';
    report({ kind: 'warning', isResult: true, text: `up would ${verb} this: ${message}` });
  }
  for (const { service, message, tryThis } of problems) {
    report({ kind: 'warning', isResult: true, text: `${service}: ${message}\n  try: ${tryThis}` });
  }
}
