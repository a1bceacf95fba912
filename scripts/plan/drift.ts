import { joinedNetworks, networkEntry } from '../../stack/networks.ts';
import { hashFiles } from '../state/files-hash.ts';
import { lastConfirmed } from '../state/history.ts';
import { names } from '../state/names.ts';
import { manualConnections, whyGone } from './connections.ts';
import type { Desired, DesiredService } from './desired.ts';
import { refusalOf } from './joined-networks.ts';
import { manualChanges } from './manual-changes.ts';
import type { Observed, ObservedService } from './observed.ts';

/** A difference from the state that promstack last confirmed, whatever stack.yml says now. */
export interface Drift {
  readonly service: string;
  readonly message: string;
  /** How to make it part of the stack; only for what `up` keeps. */
  readonly tryThis?: string | undefined;
}

/** What was changed, stopped, removed or edited by hand. `up` restores all of it but connections to further networks. */
export function driftOf(desired: Desired, observed: Observed): readonly Drift[] {
  const strays = observed.strays.map(({ name }) => ({
    service: name,
    message: 'a container of this stack that no service needs',
  }));
  const services = desired.services.flatMap((target) =>
    messages(target, observed).map((message) => ({ service: target.service.name, message })),
  );
  return [...services, ...connectionDrift(desired, observed), ...strays];
}

function messages(target: DesiredService, observed: Observed): readonly string[] {
  const { name } = target.service;
  const recorded = lastConfirmed(observed.history);
  const release = recorded?.services[name];
  const current = observed.services.get(name);
  if (current === undefined) return release === undefined ? [] : ['its container was removed'];
  const { state } = current.container;
  return [
    ...(state === 'running' ? [] : [state === 'exited' ? 'its container is stopped' : `its container is ${state}`]),
    ...manualChanges(current, names.network(observed.stack)),
    ...(release !== undefined && target.release !== undefined && current.folder === undefined
      ? ['the link to its files was removed or broken by hand']
      : []),
    ...(release === undefined || release.folder === current.folder || current.folder === undefined
      ? []
      : [
          `the files in place are of revision ${current.linked}, which was not confirmed: a change was interrupted, or the link was changed by hand`,
        ]),
    ...(release !== undefined && release.folder === current.folder && isTouched(target, current, release.hash)
      ? ['its files were changed by hand in the config volume']
      : []),
    ...(current.edits ?? []),
    ...(current.unproven !== undefined && current.linked === target.release?.revision
      ? [`it does not run the files in place: ${current.unproven}`]
      : []),
  ];
}

/** Whether files were edited by hand: they differ from the recorded ones, and from newly rendered ones. */
function isTouched(
  { release, folder }: DesiredService,
  { linked, filesHash }: ObservedService,
  recorded: string,
): boolean {
  const isRendered =
    folder === undefined && release?.revision === linked && hashFiles(release?.files ?? []) === filesHash;
  return filesHash !== recorded && !isRendered;
}

/** The manual connections that stack.yml does not name, with what to write there. */
function connectionDrift(desired: Desired, observed: Observed): readonly Drift[] {
  const own = names.network(desired.stack);
  const joined = joinedNetworks(desired.config);
  const manual = desired.services.flatMap(({ service: { name }, spec }) => {
    const current = observed.services.get(name);
    const networks = current === undefined ? [] : manualConnections(current.container, own);
    const isUnwritten = (network: string): boolean => spec.networks?.includes(network) !== true;
    return networks.filter(isUnwritten).map((network) => ({ service: name, network }));
  });
  return manual.map(({ service, network }): Drift => {
    const existing = observed.networks.find(({ name }) => name === network);
    if (existing === undefined) return { service, message: whyGone(network) };
    const listed = joined.find(({ name }) => name === network)?.services ?? [];
    const added = manual.filter((connection) => connection.network === network).map((connection) => connection.service);
    const entry = networkEntry(network, [...new Set([...listed, ...added])]);
    return {
      service,
      message: `it was connected to the network ${network} by hand`,
      tryThis:
        refusalOf(existing) === undefined
          ? `to keep it over \`promstack down\` too, write ${entry} under \`networks\` in stack.yml`
          : 'after `promstack down`, connect it again: stack.yml cannot list this network',
    };
  });
}
