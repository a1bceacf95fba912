import { findContradictions, type Held } from '../../../stack/exposition/conflicts.ts';
import type { Family } from '../../../stack/exposition/family.ts';
import { parseExposition } from '../../../stack/exposition/parse-exposition.ts';
import { fail, ok, type Result } from '../../util/result.ts';
import { type Gateway, looksOwn } from './gateway.ts';
import type { Group } from './group.ts';

/** A push that has not been looked at yet. */
export interface RawPush {
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
  gateway: Gateway,
  push: RawPush,
  signal?: AbortSignal,
): Promise<Result<PreparedPush>> {
  const { file, group, replaces } = push;
  const [{ names }, { groups }] = await Promise.all([gateway.settings(signal), gateway.look(signal)]);
  const read = parseExposition(push.text, { file, names, group });
  if (!read.ok) return fail(read.error);
  const families = read.value;
  if (families.length === 0) return fail([sayEmpty(file)]);
  const held: Held = { groups, own: await ownTypes(gateway, families, signal) };
  const found = findContradictions({ families, group, replaces }, held);
  const errors = found.filter((one) => one.severity === 'error');
  if (errors.length > 0) return fail(errors);
  return ok({ text: read.text, families }, [...read.warnings, ...found]);
}

/** The Pushgateway's own metrics are worth reading only for names that might be among them. */
async function ownTypes(gateway: Gateway, families: readonly Family[], signal?: AbortSignal): Promise<Held['own']> {
  if (!families.some(({ name }) => looksOwn(name))) return new Map();
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
