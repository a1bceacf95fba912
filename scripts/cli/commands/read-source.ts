import { resolve } from 'node:path';
import type { Diagnostic } from '../../../stack/diagnostic.ts';
import { findConflicts, findDropped, type StoredMetrics } from '../../../stack/exposition/conflicts.ts';
import type { Family } from '../../../stack/exposition/family.ts';
import { parseExposition } from '../../../stack/exposition/parse-exposition.ts';
import { isOwnMetric, type PushgatewayClient } from '../../servers/pushgateway/client.ts';
import { type Group, groupNameProblem } from '../../servers/pushgateway/group.ts';
import { displayPath } from '../../util/display-path.ts';
import { misuse } from '../../util/misuse.ts';
import { conversionHint, notFound, readBytes, readStream, type Unreadable } from '../../util/read-text.ts';
import { fail, ok, type Result } from '../../util/result.ts';
import { InputError, StackError } from '../../util/stack-error.ts';
import type { Context } from '../context.ts';

export interface Source {
  readonly file: string;
  readonly text: string;
}

/** The text of a file, or of stdin without one; throws an InputError when it is missing or not text. */
export async function readSource(
  { cwd, stdin, signal }: Pick<Context, 'cwd' | 'stdin' | 'signal'>,
  file: string | undefined,
): Promise<Source> {
  if (file === undefined || file === '-') {
    if ('isTTY' in stdin && stdin.isTTY === true) {
      throw new InputError([
        misuse('there is nothing to push', 'name a file, pipe metrics in, or use --var name=value'),
      ]);
    }
    return decoded(await readStream(stdin, { limit, signal }), '<stdin>');
  }
  const path = resolve(cwd, file);
  const name = displayPath(path, cwd);
  return decoded(await readBytes(path, { limit, signal }), name);
}

const limit = 64 * 2 ** 20;

function decoded(bytes: Buffer | Unreadable, file: string): Source {
  if ('because' in bytes) {
    const { because, hint } = bytes;
    if (because === notFound) throw new InputError([misuse(`the file ${file} ${because}`, hint)]);
    throw new StackError({ doing: `reading ${file}`, why: `it ${because}`, tryThis: hint });
  }
  const text = decodeUtf8(bytes, file);
  if (!text.ok) throw new InputError(text.error);
  return { file, text: text.value };
}

/** Decodes UTF-8, keeping a byte order mark; the error points at the first invalid byte. */
function decodeUtf8(bytes: Uint8Array, file: string): Result<string> {
  try {
    return ok(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch {
    return fail([invalidByte(bytes, file)]);
  }
}

function invalidByte(bytes: Uint8Array, file: string): Diagnostic {
  // The lenient decoder replaces invalid bytes by U+FFFD, which the text may also contain itself.
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
    hint: conversionHint(bytes),
    where: { file, line, column: at - before.lastIndexOf('\n'), offset: at, length: 1 },
  };
}

function isGenuine(bytes: Uint8Array, at: number): boolean {
  return bytes[at] === 0xef && bytes[at + 1] === 0xbf && bytes[at + 2] === 0xbd;
}

interface RawPush {
  readonly text: string;
  /** For messages. */
  readonly file: string;
  readonly group: Group;
  readonly replaces: boolean;
}

/** A validated push. */
export interface PreparedPush {
  readonly text: string;
  readonly families: readonly Family[];
  /** The stored series that the push drops. */
  readonly dropped: readonly string[];
}

/** Parses a push as strictly as the Pushgateway, and compares it with the stored metrics. */
export async function preparePush(
  gateway: PushgatewayClient,
  push: RawPush,
  signal?: AbortSignal,
): Promise<Result<PreparedPush>> {
  const { file, group, replaces } = push;
  const [{ names }, { groups }] = await Promise.all([gateway.settings(signal), gateway.list(signal)]);
  const invalidName = groupNameProblem(group, names);
  if (invalidName !== undefined) return fail([misuse(invalidName.message, invalidName.hint)]);
  const parsed = parseExposition(push.text, { file, names, group });
  if (!parsed.ok) return fail(parsed.error);
  const families = parsed.value;
  if (families.length === 0) return fail([emptyPush(file)]);
  const stored: StoredMetrics = { groups, own: await ownTypes(gateway, families, signal) };
  const conflicts = findConflicts({ families, group, replaces }, stored);
  const errors = conflicts.filter(({ severity }) => severity === 'error');
  if (errors.length > 0) return fail(errors);
  const dropped = findDropped({ families, group, replaces }, groups);
  return ok({ text: parsed.text, families, dropped }, [...parsed.warnings, ...conflicts]);
}

/** The Pushgateway's own metrics, requested only if a pushed name may be one of them. */
async function ownTypes(
  gateway: PushgatewayClient,
  families: readonly Family[],
  signal?: AbortSignal,
): Promise<StoredMetrics['own']> {
  if (!families.some(({ name }) => isOwnMetric(name))) return new Map();
  return gateway.ownTypes(signal);
}

/** A failed command in a pipe leaves empty input, and pushing that with PUT would empty the group. */
function emptyPush(file: string) {
  return {
    severity: 'error',
    code: 'nothing-to-push',
    message: `${file} has no samples`,
    hint: 'a sample is a line such as: my_metric 1; --delete removes a group',
  } as const;
}
