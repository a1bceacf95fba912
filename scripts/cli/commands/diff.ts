import { Option } from '@commander-js/extra-typings';
import { compareStacks } from '../../inspect/compare-stacks.ts';
import { type Context, type ExitCode, exitCodes } from '../context.ts';
import { differenceSchema, toJsonDifference } from '../json/plan.ts';
import { differenceMarkdown } from '../print/markdown.ts';
import { printDifference } from '../print/plan.ts';
import { defineCommand } from './command.ts';
import { filesOf, type StackContext } from './find-stack.ts';

export const command = defineCommand({
  details:
    'Compares two stacks as `plan` does, without an engine: services and their flags, jobs and receivers, alerts and ' +
    'their receivers, and the rendered files, with secrets masked. Each is a folder, a stack file, a revision in git, or ' +
    'REVISION:PATH; a revision alone means the same stack files at that revision. Secrets that are missing on one ' +
    'side are taken from the other.',
  examples: [
    { line: 'diff HEAD', what: 'what the changes that are not committed mean' },
    { line: 'diff main~1 main', what: 'two revisions' },
    { line: 'diff ../old main:monitoring/stack.yml', what: 'a folder, and a file at a revision' },
  ],
  syntax: (blank) =>
    blank
      .argument('<before>', 'folder, stack file, git revision or REVISION:PATH')
      .argument('[after]', 'the same (default: the stack here)')
      .option('--summary', 'show only the action for each service')
      .addOption(formatOption())
      .option('--detailed-exitcode', 'exit 3 if there are differences'),
  json: differenceSchema,
  run: async (context, { summary, detailedExitcode, format }, [before, after]) => {
    const { compared, code } = await showDifference(context, [before, after], {
      ...{ summary, detailedExitcode, format },
    });
    context.result(toJsonDifference(compared));
    return code;
  },
});

/** The option of the commands that print a difference. */
export function formatOption() {
  const option = new Option('--format <format>', 'text, or Markdown for a pull request');
  return option.choices(['text', 'markdown'] as const).default('text' as const);
}

/** Prints the difference of two stacks. */
export async function showDifference(
  context: StackContext & Pick<Context, 'stdout'>,
  [before, after]: readonly [before: string, after: string | undefined],
  {
    summary,
    detailedExitcode,
    format,
  }: {
    readonly summary?: true | undefined;
    readonly detailedExitcode?: true | undefined;
    readonly format: 'text' | 'markdown';
  },
) {
  const { stdout, report } = context;
  const compared = await compareStacks(before, after, filesOf(context));
  const { plan, renamed, isNew, unknownSecrets, files } = compared;
  context.nameStack(plan.stack);
  const title = `${before} -> ${after ?? plan.stack}`;
  stdout.write(
    format === 'markdown'
      ? differenceMarkdown(compared, title)
      : printDifference(compared, title, { colours: stdout.colours, isShort: summary === true }),
  );
  const note = (text: string): void => report({ kind: 'note', isResult: true, text });
  if (isNew) note(`${before} has no stack file: all of the stack is new`);
  if (renamed !== undefined) {
    note(`the name differs: ${renamed.join(' -> ')}; the name of a stack is that of its containers and volumes`);
  }
  if (unknownSecrets.length > 0) note(`not compared, since it is missing here: ${unknownSecrets.join(', ')}`);
  const isDifferent = renamed !== undefined || files.length > 0 || plan.changes.some(({ action }) => action !== 'none');
  const code: ExitCode = detailedExitcode === true && isDifferent ? exitCodes.changesPending : exitCodes.fine;
  return { compared, code };
}
