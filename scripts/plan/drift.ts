import { hashFiles } from '../state/files-hash.ts';
import { lastConfirmed } from '../state/history.ts';
import { names } from '../state/names.ts';
import type { Desired, DesiredService } from './desired.ts';
import { manualChanges } from './manual-changes.ts';
import type { Observed, ObservedService } from './observed.ts';

/** Something that was changed since promstack confirmed it, whatever stack.yml says now. */
export interface Drift {
  readonly service: string;
  readonly message: string;
}

/** What was changed, stopped, removed or edited behind promstack's back. `up` restores all of it. */
export function driftOf(desired: Desired, observed: Observed): readonly Drift[] {
  const strays = observed.strays.map(({ name }) => ({
    service: name,
    message: 'a container of this stack that no service needs',
  }));
  const services = desired.services.flatMap((wanted) =>
    messages(wanted, observed).map((message) => ({ service: wanted.service.name, message })),
  );
  return [...services, ...strays];
}

function messages(wanted: DesiredService, observed: Observed): readonly string[] {
  const { name } = wanted.service;
  const recorded = lastConfirmed(observed.history);
  const release = recorded?.services[name];
  const found = observed.services.get(name);
  if (found === undefined) return release === undefined ? [] : ['its container was removed'];
  const { state } = found.container;
  return [
    ...(state === 'running' ? [] : [state === 'exited' ? 'its container is stopped' : `its container is ${state}`]),
    ...manualChanges(found, names.network(observed.stack)),
    ...(release !== undefined && wanted.release !== undefined && found.folder === undefined
      ? ['the link to its files was removed or broken by hand']
      : []),
    ...(release === undefined || release.folder === found.folder || found.folder === undefined
      ? []
      : [
          `the files in place are of revision ${found.linked}, which was not confirmed: a change was cut short, or the link was changed by hand`,
        ]),
    ...(release !== undefined && release.folder === found.folder && isTouched(wanted, found, release.hash)
      ? ['its files were changed by hand in the config volume']
      : []),
    ...(found.unproven !== undefined && found.linked === wanted.release?.revision
      ? [`it does not run the files in place: ${found.unproven}`]
      : []),
  ];
}

/** Files that equal what was rendered now are not a manual edit, whatever the history says; those read back say nothing. */
function isTouched(
  { release, folder }: DesiredService,
  { linked, filesHash }: ObservedService,
  recorded: string,
): boolean {
  const isAsRendered =
    folder === undefined && release?.revision === linked && hashFiles(release?.files ?? []) === filesHash;
  return filesHash !== recorded && !isAsRendered;
}
