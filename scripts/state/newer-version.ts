import { versionLabel } from '../engine/labels.ts';
import { StackError } from '../util/stack-error.ts';
import { version } from '../util/version.ts';
import type { History } from './history.ts';

/** The newest version of promstack that created one of the resources or added to the history; undefined when unknown. */
export function newestVersion(
  resources: readonly { readonly labels: Readonly<Record<string, string>> }[],
  history?: Pick<History, 'entries'> | undefined,
): string | undefined {
  const versions = [
    ...resources.map(({ labels }) => labels[versionLabel]),
    ...(history?.entries ?? []).map((entry) => entry.version),
  ];
  return versions.reduce<string | undefined>(
    (newest, each) => (each !== undefined && (newest === undefined || isNewer(each, newest)) ? each : newest),
    undefined,
  );
}

/** Throws a StackError for a stack that a newer promstack has changed, whose labels and files this one may not understand. */
export function refuseNewer(stack: string, newest: string | undefined): void {
  if (newest === undefined || !isNewer(newest, version())) return;
  throw new StackError({
    doing: `changing the stack ${stack}`,
    why: `promstack ${newest} has changed it, and this is promstack ${version()}, which may not understand all that the newer one wrote`,
    tryThis: `use promstack ${newest} or a newer one`,
  });
}

/** By the first three numbers; what is not a version is not newer. */
function isNewer(version: string, than: string): boolean {
  const [a, b] = [numbersOf(version), numbersOf(than)];
  const at = a.findIndex((number, index) => number !== (b[index] ?? 0));
  return at !== -1 && (a[at] ?? 0) > (b[at] ?? 0);
}

function numbersOf(version: string): readonly number[] {
  const [, ...numbers] = /^(\d+)\.(\d+)\.(\d+)/.exec(version) ?? [];
  return numbers.map(Number);
}
