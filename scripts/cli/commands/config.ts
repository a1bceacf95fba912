import * as z from 'zod';
import { type KeyPath, showPath } from '../../../stack/diagnostic.ts';
import { Secret } from '../../../stack/secret.ts';
import { isCollection, isMapping } from '../../../stack/values/mapping.ts';
import { maskPlainSecrets } from '../../config/plain-secrets.ts';
import { type ReadStack, readStack } from '../../config/read-stack.ts';
import { writeValue } from '../../render/yaml-writer.ts';
import { InputError } from '../../util/stack-error.ts';
import { exitCodes } from '../context.ts';
import { defineCommand } from './command.ts';
import { filesOf, takeOrThrow } from './find-stack.ts';

export const command = defineCommand({
  details:
    'Prints stack.yml as it is read, several files merged into one, without defaults. A comment at the end of each line ' +
    'names the file and line that its value is from and, for !env, where the variable is set. Secrets are masked. Needs no ' +
    'engine; keys are not validated: `check` does that.',
  examples: [
    { line: 'config -f stack.yml -f prod.yml', what: 'what prod.yml makes of stack.yml' },
    { line: 'config --json', what: 'the same as JSON, with a list of the places' },
  ],
  json: () =>
    z.strictObject({
      config: z.unknown().describe('the merged stack.yml; a secret is its tag, such as "!env NAME", or "[secret]"'),
      origins: z.array(
        z.strictObject({
          path: z.string().describe('such as prometheus.scrape_configs[0].job_name'),
          file: z.string().optional().describe('absent for the name that PROMSTACK_NAME gives'),
          line: z.int().optional(),
          setIn: z.string().optional().describe('where its variable is set: "environment", or file and line: ".env:2"'),
        }),
      ),
    }),
  run: async (context) => {
    const read = takeOrThrow(context, await readStack(filesOf(context)));
    const { merged, environment, givenName } = read;
    const errors = [...read.diagnostics, ...environment.diagnostics()].filter(({ severity }) => severity === 'error');
    if (errors.length > 0) throw new InputError(errors);
    const whole = merged.value ?? {};
    const named = isMapping(whole) && givenName !== undefined ? { ...whole, name: givenName } : whole;
    const config = maskPlainSecrets(named);
    if (isMapping(config) && typeof config['name'] === 'string') context.nameStack(config['name']);
    const origins = leavesOf(config).map(({ path, value }) => ({ path, value, ...originOf(path, value, read) }));
    context.result({
      config: toJson(config),
      origins: origins.map(({ path, value: _, ...origin }) => ({ path: showPath(path), ...origin })),
    });
    context.stdout.write(withComments(toLines(config), origins.map(commentOf)));
    return exitCodes.fine;
  },
});

interface Leaf {
  readonly path: KeyPath;
  readonly value: unknown;
}

/** The values that are written on lines of their own: all but mappings and lists with contents. */
function leavesOf(value: unknown, path: KeyPath = []): readonly Leaf[] {
  if (!hasEntries(value)) return [{ path, value }];
  return entriesOf(value).flatMap(([key, inner]) => leavesOf(inner, [...path, key]));
}

function hasEntries(value: unknown): value is object {
  return isCollection(value) && Object.keys(value).length > 0;
}

function entriesOf(value: object): readonly (readonly [string | number, unknown])[] {
  return Array.isArray(value) ? [...value.entries()] : Object.entries(value);
}

interface Origin {
  readonly file?: string;
  readonly line?: number;
  readonly setIn?: string | undefined;
}

function originOf(path: KeyPath, value: unknown, { merged, environment, givenName }: ReadStack): Origin {
  const setIn = (name: string): string | undefined => {
    const variable = environment.get(name);
    if (variable === undefined) return undefined;
    return variable.where === undefined ? 'environment' : `${variable.where.file}:${variable.where.line}`;
  };
  if (givenName !== undefined && path.length === 1 && path[0] === 'name') return { setIn: setIn('PROMSTACK_NAME') };
  const { file, line } = merged.locate(path);
  const [, variable] = value instanceof Secret ? (/^!env (.*)$/.exec(value.origin) ?? []) : [];
  return variable === undefined ? { file, line } : { file, line, setIn: setIn(variable) };
}

function commentOf({ file, line, setIn }: Origin): string {
  if (file === undefined) return `PROMSTACK_NAME, ${setIn}`;
  return `${file}:${line}${setIn === undefined ? '' : `, ${setIn}`}`;
}

/** The text of each leaf, which may have several lines, after the lines of the keys above it. */
interface LeafText {
  readonly above: string;
  readonly text: string;
}

/** The YAML of a value, split at its leaves. */
function toLines(value: unknown, indent = '', start = ''): readonly LeafText[] {
  if (!hasEntries(value)) {
    const text = writeValue(value, { indent, flow: false }, writeSecret);
    return [{ above: '', text: `${start}${text}` }];
  }
  return entriesOf(value).flatMap(([key, inner], at) => {
    const here = at === 0 ? start : indent;
    if (Array.isArray(value)) return toLines(inner, `${indent}  `, `${here}- `);
    const name = `${here}${writeValue(String(key), { indent, flow: true }, writeSecret)}:`;
    if (!hasEntries(inner)) return toLines(inner, `${indent}  `, `${name} `);
    const [first, ...rest] = toLines(inner, `${indent}  `, `${indent}  `);
    return first === undefined ? [] : [{ above: `${name}\n${first.above}`, text: first.text }, ...rest];
  });
}

/** Adds a comment to the first line of each leaf. */
function withComments(leaves: readonly LeafText[], comments: readonly string[]): string {
  const firstLines = leaves.map(({ text }) => text.split('\n')[0] ?? '');
  const width = Math.min(widest, Math.max(...firstLines.map((line) => line.length)));
  const lines = leaves.map(({ above, text }, at) => {
    const first = firstLines[at] ?? '';
    return `${above}${first.padEnd(width)}  # ${comments[at] ?? ''}${text.slice(first.length)}\n`;
  });
  return lines.join('');
}

/** The column of the comments is not further right because of a few long lines. */
const widest = 60;

/** The tag of a secret, which is no secret. */
function writeSecret({ origin, isInline }: Secret): string {
  if (!isInline) return origin;
  const [tag = '', ...argument] = origin.split(' ');
  return `${tag} {${tag === '!file' ? 'path' : 'name'}: ${argument.join(' ')}, inline: true}`;
}

function toJson(value: unknown): unknown {
  if (value instanceof Secret) return writeSecret(value);
  if (Array.isArray(value)) return value.map(toJson);
  if (!isMapping(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, toJson(inner)]));
}
