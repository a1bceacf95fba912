import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { buffer } from 'node:stream/consumers';
import type { Diagnostic } from '../../../stack/diagnostic.ts';
import { findConflicts, type StoredView } from '../../../stack/exposition/conflicts.ts';
import type { Family } from '../../../stack/exposition/family.ts';
import { parseExposition } from '../../../stack/exposition/parse-exposition.ts';
import { isOwnMetric, type PushgatewayClient } from '../../servers/pushgateway/client.ts';
import type { Group } from '../../servers/pushgateway/group.ts';
import { displayPath } from '../../util/display-path.ts';
import { misuse } from '../../util/misuse.ts';
import { fail, ok, type Result } from '../../util/result.ts';
import { InputError, StackError } from '../../util/stack-error.ts';
import type { Context } from '../context.ts';

/** A text to push and what to call it. */
export interface Source {
  readonly file: string;
  readonly text: string;
}

/** The text of a file, or of stdin when none is named; an InputError when there is none or it is no text. */
export async function readSource(
  { cwd, stdin }: Pick<Context, 'cwd' | 'stdin'>,
  file: string | undefined,
): Promise<Source> {
  if (file === undefined || file === '-') {
    if ('isTTY' in stdin && stdin.isTTY === true) {
      throw new InputError([
        misuse('there is nothing to push', 'name a file, pipe metrics in, or say --var name=value'),
      ]);
    }
    return decoded(await buffer(stdin), '<stdin>');
  }
  const path = resolve(cwd, file);
  const name = displayPath(path, cwd);
  try {
    return decoded(await readFile(path), name);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error;
    if (error.code === 'ENOENT') throw new InputError([misuse(`there is no file ${name}`)]);
    throw new StackError({ doing: `reading ${name}`, why: error.message, cause: error });
  }
}

function decoded(bytes: Buffer, file: string): Source {
  const text = decodeUtf8(bytes, file);
  if (!text.ok) throw new InputError(text.error);
  return { file, text: text.value };
}

/** Bytes as UTF-8 text, a byte order mark kept; points at the first byte that is none. */
function decodeUtf8(bytes: Uint8Array, file: string): Result<string> {
  try {
    return ok(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch {
    return fail([sayWhere(bytes, file)]);
  }
}

function sayWhere(bytes: Uint8Array, file: string): Diagnostic {
  // The lenient decoder puts U+FFFD where the first wrong byte is, unless one was there in the text already.
  const lenient = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
  const encoder = new TextEncoder();
  let at = lenient.indexOf('\uFFFD');
  while (isGenuine(bytes, encoder.encode(lenient.slice(0, at)).length)) at = lenient.indexOf('\uFFFD', at + 1);
  const before = lenient.slice(0, at);
  const line = before.split('\n').length;
  return {
    severity: 'error',
    code: 'not-utf8',
    message: 'this is not UTF-8 text',
    hint: 'convert it: iconv -f ISO-8859-1 -t UTF-8',
    where: { file, line, column: at - before.lastIndexOf('\n'), offset: at, length: 1 },
  };
}

function isGenuine(bytes: Uint8Array, at: number): boolean {
  return bytes[at] === 0xef && bytes[at + 1] === 0xbf && bytes[at + 2] === 0xbd;
}

/** A push that has not been looked at yet. */
interface RawPush {
  readonly text: string;
  /** The file it came from, as a person would type it. */
  readonly file: string;
  readonly group: Group;
  readonly replaces: boolean;
}

/** A push that the Pushgateway will take, as far as can be seen. */
export interface PreparedPush {
  readonly text: string;
  readonly families: readonly Family[];
}

/** Reads a push as strictly as its Pushgateway will, then holds it against what is there; warnings come with the value. */
export async function preparePush(
  gateway: PushgatewayClient,
  push: RawPush,
  signal?: AbortSignal,
): Promise<Result<PreparedPush>> {
  const { file, group, replaces } = push;
  const [{ names }, { groups }] = await Promise.all([gateway.settings(signal), gateway.list(signal)]);
  const read = parseExposition(push.text, { file, names, group });
  if (!read.ok) return fail(read.error);
  const families = read.value;
  if (families.length === 0) return fail([sayEmpty(file)]);
  const held: StoredView = { groups, own: await ownTypes(gateway, families, signal) };
  const found = findConflicts({ families, group, replaces }, held);
  const errors = found.filter((one) => one.severity === 'error');
  if (errors.length > 0) return fail(errors);
  return ok({ text: read.text, families }, [...read.warnings, ...found]);
}

/** The Pushgateway's own metrics are worth reading only for names that might be among them. */
async function ownTypes(
  gateway: PushgatewayClient,
  families: readonly Family[],
  signal?: AbortSignal,
): Promise<StoredView['own']> {
  if (!families.some(({ name }) => isOwnMetric(name))) return new Map();
  return gateway.ownTypes(signal);
}

/** Nothing to push is what a broken pipe leaves, and a PUT of nothing would empty the group. */
function sayEmpty(file: string) {
  return {
    severity: 'error',
    code: 'nothing-to-push',
    message: `there is no sample in ${file}`,
    hint: 'a sample is a line such as: my_metric 1; --delete removes a group',
  } as const;
}
