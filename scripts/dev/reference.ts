import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type CommandInfo, describeCommands, type OptionInfo } from '../cli/commands/describe.ts';
import { commands } from '../cli/commands/index.ts';
import { commandsByName } from '../cli/globals.ts';
import { stackJsonSchema } from '../config/schema.ts';
import { packageRoot } from '../util/package-root.ts';
import { imagesMarkdown, withDefaultTags } from './test-images.ts';

/** README.md with generated references of commands, of stack.yml's keys and of images. */
export async function withReferences(readme: string): Promise<string> {
  const { commands: described, globals } = await describeCommands(commands);
  const withCommands = between(readme, 'commands', commandsMarkdown(described, globals));
  const withKeys = between(withCommands, 'keys', keysMarkdown(keyRows(stackJsonSchema())));
  return withDefaultTags(between(withKeys, 'images', imagesMarkdown()));
}

/** Replaces the text between `<!-- name:begin … -->` and `<!-- name:end -->`; throws when the markers are missing. */
export function between(document: string, name: string, text: string): string {
  const begin = new RegExp(`<!-- ${name}:begin[^>]*-->\n`).exec(document);
  const end = document.indexOf(`<!-- ${name}:end -->`);
  if (begin === null || end < begin.index) throw new Error(`the markers ${name}:begin and ${name}:end are missing`);
  return `${document.slice(0, begin.index + begin[0].length)}\n${text}\n\n${document.slice(end)}`;
}

/** The reference of commands: a table per group, then the options of each command. */
function commandsMarkdown(commands: readonly CommandInfo[], globals: readonly OptionInfo[]): string {
  const groups = [...new Set(commands.map((command) => command.group))];
  const tables = groups.map((group) => {
    const rows = commands
      .filter((command) => command.group === group)
      .flatMap((command) => [command, ...command.subcommands])
      .map((command) => [code(`promstack ${command.path}`), command.summary]);
    return table([group, ''], rows);
  });
  const options = commands
    .flatMap((command) => [command, ...command.subcommands])
    .filter((command) => command.options.length + command.args.length > 0)
    .map((command) => `#### ${code(`promstack ${command.usage}`)}\n\n${optionTable(command)}`);
  const byName = [...commandsByName].map(code).join(', ');
  return [
    ...tables,
    `Every command takes these, before or after its name; \`-p\` only ${byName}:\n\n${table(['option', ''], globals.map(optionRow))}`,
    ...options,
  ].join('\n\n');
}

/** The reference of stack.yml's keys: one table. */
function keysMarkdown(rows: readonly KeyRow[]): string {
  return table(
    ['key', 'type', 'default', ''],
    rows.map((row) => [code(row.key), row.type, row.default === '' ? '' : code(row.default), row.what]),
  );
}

function optionTable({ args, options }: CommandInfo): string {
  const rows = [...args.map(({ name, what }) => [code(name), what]), ...options.map(optionRow)];
  return table(['argument or option', ''], rows);
}

function optionRow({ flags, what }: OptionInfo): readonly string[] {
  return [code(flags), what];
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

function code(text: string): string {
  return `\`${text}\``;
}

/** A row of the table of stack.yml's keys. */
interface KeyRow {
  /** `prometheus.retention.time`. */
  readonly key: string;
  readonly type: string;
  /** As YAML; empty when there is none. */
  readonly default: string;
  readonly what: string;
}

/** The parts of a JSON Schema that the table shows. */
interface Schema {
  /** The type, if JSON Schema has no name for it. */
  readonly title?: string;
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Schema[];
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: unknown;
  readonly default?: unknown;
  readonly description?: string;
}

/** All of promstack's own keys, without those in another program's syntax. */
export function keyRows(schema: Schema, above = ''): readonly KeyRow[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, inner]): readonly KeyRow[] => {
    const key = `${above}${name}`;
    const isSection = inner.properties !== undefined && inner.additionalProperties === false;
    if (isSection) return keyRows(inner, `${key}.`);
    return [{ key, type: typeText(inner), default: defaultText(inner.default), what: inner.description ?? '' }];
  });
}

function typeText({ title, type, enum: choices, anyOf, items }: Schema): string {
  if (title !== undefined) return title;
  if (choices !== undefined) return choices.filter((choice) => choice !== null).join(', ');
  const types = [type ?? []].flat().filter((name) => name !== 'null');
  if (types.includes('array')) return `list of ${plural(items === undefined ? '' : typeText(items))}`;
  const words = types.map((name) => (name === 'object' ? 'mapping' : name));
  if (words.length > 0) return words.join(' or ');
  const alternatives = (anyOf ?? []).map(typeText).filter((text) => text !== '' && text !== 'anything');
  return alternatives.length === 0 ? 'anything' : [...new Set(alternatives)].join(' or ');
}

function plural(text: string): string {
  return text === '' || text === 'anything' ? 'anything' : `${text}s`;
}

function defaultText(value: unknown): string {
  if (value === undefined) return '';
  const isEmpty = typeof value === 'object' && value !== null && Object.keys(value).length === 0;
  if (isEmpty) return Array.isArray(value) ? 'none' : '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

// Run it after a change of commands, options or keys: `npx tsx scripts/dev/reference.ts`.
if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const readme = join(packageRoot(), 'README.md');
  writeFileSync(readme, await withReferences(readFileSync(readme, 'utf8')));
}
