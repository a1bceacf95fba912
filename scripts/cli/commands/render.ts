import { resolve } from 'node:path';
import { closest } from '../../../stack/values/closest.ts';
import { counted } from '../../../stack/values/words.ts';
import { nameOf, type ShownFile, toShown } from '../../render/show.ts';
import { writeRendered } from '../../render/write.ts';
import { misuse } from '../../util/misuse.ts';
import { InputError } from '../../util/stack-error.ts';
import { type Context, exitCodes } from '../context.ts';
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
  ],
  syntax: (command) =>
    command
      .argument('[file...]', 'files to print, such as prometheus/prometheus.yml (default: all)')
      .option('--out <folder>', 'write the files to a folder instead')
      .option('--service <service>', 'only files of this service'),
  run: async (context, { out, service }, [names]) => {
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
    if (out === undefined) {
      print(context, files);
      return exitCodes.fine;
    }
    const chosen = new Set(files.map((file) => file.name));
    await writeRendered(
      resolve(context.cwd, out),
      rendered.filter((file) => chosen.has(nameOf(file))),
    );
    context.report({ kind: 'note', text: `wrote ${counted(files.length, 'file')} below ${out}` });
    return exitCodes.fine;
  },
});

function checkKnown(name: string, known: readonly string[], what: string): void {
  if (known.includes(name)) return;
  const near = closest(name, known);
  const hint = near === undefined ? `there are ${known.join(', ')}` : `did you mean ${near}?`;
  throw new InputError([misuse(`this stack has no ${what} ${name}`, hint)]);
}

/** A single file verbatim; several as YAML documents with their names. */
function print({ stdout, json }: Context, files: readonly ShownFile[]): void {
  if (json) {
    stdout.write(`${JSON.stringify(files.map(({ name: _, ...file }) => file))}\n`);
    return;
  }
  const [only] = files;
  if (files.length === 1 && only !== undefined) {
    stdout.write(only.content);
    return;
  }
  for (const { name, content } of files) {
    stdout.write(`${stdout.colours.bold(`---\n# ${name}`)}\n${content}${content.endsWith('\n') ? '' : '\n'}`);
  }
}
