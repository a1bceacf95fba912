import type { StackOrigin } from '../config/loaded.ts';
import { filePaths, filesText, isSameOrigin } from '../state/origin.ts';
import { pathExists } from '../util/path-exists.ts';
import { StackError } from '../util/stack-error.ts';

/** A stack is managed from a different file; the user may decide to manage it from this one. */
export class OtherOriginError extends StackError {}

/** A stack on the engine, and the file from which a command is about to change it. */
export interface OriginCheck {
  readonly stack: string;
  /** Undefined when the command has no file, or one without a place, such as a pipe. */
  readonly origin?: StackOrigin | undefined;
  /** The file it was managed from until now; undefined when unknown. */
  readonly current: StackOrigin | undefined;
  /** The name under which the file runs, when it is a different one. */
  readonly renamedFrom?: string | undefined;
  /** The user has agreed to manage it from this file. */
  readonly takeOver?: boolean | undefined;
}

/** Throws a StackError when the name in stack.yml was changed, an OtherOriginError when another file manages the stack. */
export async function checkOrigin(check: OriginCheck): Promise<void> {
  const { stack, origin, current, renamedFrom, takeOver } = check;
  if (origin === undefined) return;
  if (renamedFrom !== undefined) {
    throw new StackError({
      doing: `changing the stack ${stack}`,
      why: `${filesText(origin)} runs as the stack ${renamedFrom}: its name was changed, and ${stack} would start beside ${renamedFrom}, without its data`,
      tryThis: `set \`name: ${renamedFrom}\` in stack.yml again, or run \`promstack down -p ${renamedFrom}\` first, which keeps the volumes of ${renamedFrom}`,
    });
  }
  if (current === undefined || takeOver === true || isSameOrigin(current, origin)) return;
  const isGone = current.host === origin.host && !(await exists(current));
  throw new OtherOriginError({
    doing: `changing the stack ${stack}`,
    why: `it is managed from ${originText(current, origin)}${isGone ? ', which no longer exists' : ''}, not from ${originText(origin, current)}`,
    tryThis: '--yes manages it from here; for a stack of its own, set a different `name` in stack.yml',
  });
}

/** The refusal of a second stack of the same name and the other target, beside the one that runs. */
export function runsElsewhere(stack: string, target: 'engine' | 'swarm'): StackError {
  const [where, other] =
    target === 'engine' ? ['this engine alone', 'the swarm'] : ['the swarm of this engine', 'this engine alone'];
  const restore =
    target === 'engine' ? 'remove `target: swarm` from stack.yml' : 'set `target: swarm` in stack.yml again';
  return new StackError({
    doing: `changing the stack ${stack}`,
    why: `it runs on ${where}, and would start a second time, on ${other}, without its data`,
    tryThis: `\`promstack down --target ${target}\` first, which keeps its volumes; or ${restore}`,
  });
}

/** A note when a stack without containers would go on with volumes that were created for another file. */
export function volumesNote(
  { stack, origin }: Pick<OriginCheck, 'stack' | 'origin'>,
  volumesFrom: StackOrigin | undefined,
): string | undefined {
  if (origin === undefined || volumesFrom === undefined || isSameOrigin(volumesFrom, origin)) return undefined;
  return `the volumes of ${stack} exist already, with their data: they were created for ${originText(volumesFrom, origin)}; for a stack of its own, set a different name in stack.yml`;
}

/** The files, with their host when the other ones are on a different host. */
function originText(origin: StackOrigin, other: StackOrigin): string {
  return origin.host === other.host ? filesText(origin) : `${filesText(origin)} on ${origin.host}`;
}

async function exists(origin: StackOrigin): Promise<boolean> {
  return (await Promise.all(filePaths(origin).map(pathExists))).every(Boolean);
}
