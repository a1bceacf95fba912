import { join, resolve } from 'node:path';
import * as z from 'zod';
import { closest } from '../../../stack/values/closest.ts';
import { counted, orList } from '../../../stack/values/words.ts';
import { unifiedDiff } from '../../plan/file-changes.ts';
import { nameOf, type ShownFile, toShown } from '../../render/show.ts';
import { compareRendered, type FolderDifference, writeRendered } from '../../render/write.ts';
import { misuse } from '../../util/misuse.ts';
import { InputError } from '../../util/stack-error.ts';
import { type Context, type ExitCode, exitCodes } from '../context.ts';
import { printFileDiff } from '../print/plan.ts';
import { defineCommand } from './command.ts';
import { renderOrThrow } from './stages.ts';

export const command = defineCommand({
  details:
    'Renders stack.yml and the templates and prints every config file. Needs no engine; nothing is validated; ' +
    'secrets are masked.',
  examples: [
    { line: 'render', what: 'all files' },
    { line: 'render prometheus/prometheus.yml', what: 'one file' },
    { line: 'render --out rendered', what: 'write all files to a folder, one subfolder per service' },
    { line: 'render --out rendered --check', what: 'for CI: exit 3 with the diff when the folder differs' },
  ],
  syntax: (command) =>
    command
      .argument('[file...]', 'files to print, such as prometheus/prometheus.yml (default: all)')
      .option('--out <folder>', 'write the files to a folder instead')
      .option('--check', 'with --out: write nothing; print the diff and exit 3 when the folder differs')
      .option('--prune', 'with --out: remove files of earlier runs that are not rendered any more')
      .option('--service <service>', 'only files of this service'),
  json: renderedSchema,
  run: async (context, { out, check, prune, service }, [names]) => {
    if (out === undefined && (check === true || prune === true)) {
      throw new InputError([
        misuse(`${check === true ? '--check' : '--prune'} needs --out`, 'name the folder with --out'),
      ]);
    }
    if (check === true && prune === true) {
      throw new InputError([misuse('--check and --prune cannot be combined', '--check writes and removes nothing')]);
    }
    const rendering = await renderOrThrow(context);
    const rendered = rendering.services.flatMap(({ files }) => files);
    const all = toShown(rendered);
    if (service !== undefined)
      checkKnown(
        service,
        rendering.services.map(({ service: { name } }) => name),
        'service',
      );
    for (const name of names)
      checkKnown(
        name,
        all.map((file) => file.name),
        'file',
      );
    const files = all.filter(
      (file) =>
        (service === undefined || file.service === service) && (names.length === 0 || names.includes(file.name)),
    );
    const shown = files.map(({ name: _, ...file }) => file);
    if (out === undefined) {
      context.result({ files: shown });
      print(context, files);
      return exitCodes.fine;
    }
    const chosen = new Set(files.map((file) => file.name));
    const folder = resolve(context.cwd, out);
    const result = { files: shown, folder };
    const contents = { files: rendered.filter((file) => chosen.has(nameOf(file))), all: all.map(({ name }) => name) };
    if (check === true) {
      const differences = (await compareRendered(folder, contents)).map(({ path, kind, before, after }) => {
        return { path: join(out, path), kind, diff: unifiedDiff(before, after) };
      });
      context.result({
        ...result,
        differences: differences.map(({ path, kind, diff }) => ({ path, change: kind, diff })),
      });
      return printDifferences(context, out, differences);
    }
    const { stale, removed } = await writeRendered(folder, contents, { prune: prune === true });
    context.result({ ...result, removedFiles: removed, staleFiles: stale });
    context.report({ kind: 'note', isResult: true, text: `wrote ${counted(files.length, 'file')} below ${out}` });
    for (const path of removed) context.report({ kind: 'note', isResult: true, text: `removed ${join(out, path)}` });
    if (stale.length > 0) {
      const list = stale.map((path) => `\n  ${join(out, path)}`).join('');
      context.report({ kind: 'warning', isResult: true, text: `not rendered any more; --prune removes them:${list}` });
    }
    return exitCodes.fine;
  },
});

function renderedSchema() {
  return z.strictObject({
    files: z.array(
      z.strictObject({
        service: z.string(),
        path: z.string().describe("path in the service's config directory"),
        mode: z.int().describe('permissions'),
        content: z.string(),
      }),
    ),
    folder: z.string().optional().describe('with --out'),
    removedFiles: z.array(z.string()).optional().describe('with --out: paths in the folder that --prune removed'),
    staleFiles: z.array(z.string()).optional().describe('with --out: paths in the folder that --prune would remove'),
    differences: z
      .array(z.strictObject({ path: z.string(), change: z.enum(['added', 'removed', 'changed']), diff: z.string() }))
      .optional()
      .describe('with --check'),
  });
}

/** `--check`: nothing is printed when the folder has what would be written. */
function printDifferences(
  { stdout, report }: Pick<Context, 'stdout' | 'report'>,
  out: string,
  files: readonly (Pick<FolderDifference, 'kind' | 'path'> & { readonly diff: string })[],
): ExitCode {
  stdout.write(files.map(printFileDiff).join(''));
  if (files.length === 0) return exitCodes.fine;
  report({
    kind: 'note',
    isResult: true,
    text: `${counted(files.length, 'file')} below ${out} would change; render --out ${out} writes`,
  });
  return exitCodes.changesPending;
}

function checkKnown(name: string, known: readonly string[], what: string): void {
  if (known.includes(name)) return;
  const depthOf = (path: string): number => path.split('/').length;
  const below = known.filter((path) => path.endsWith(`/${name}`));
  const depth = Math.min(...below.map(depthOf));
  const near = below.length > 0 ? orList(below.filter((path) => depthOf(path) === depth)) : closest(name, known);
  const hint = near === undefined ? `there are ${known.join(', ')}` : `did you mean ${near}?`;
  throw new InputError([misuse(`this stack has no ${what} ${name}`, hint)]);
}

/** A single file verbatim; several as YAML documents with their names. */
function print({ stdout }: Pick<Context, 'stdout'>, files: readonly ShownFile[]): void {
  const [only] = files;
  if (files.length === 1 && only !== undefined) {
    stdout.write(only.content);
    return;
  }
  for (const { name, content } of files) {
    stdout.write(`${stdout.colours.bold(`---\n# ${name}`)}\n${content}${content.endsWith('\n') ? '' : '\n'}`);
  }
}
