import type { CheckCommand, CheckFinding, RenderedFile } from '../../stack/model.ts';

/** A check command whose findings are its output's lines. */
export function commandOf(argv: readonly string[], rest: Partial<CheckCommand> = {}): CheckCommand {
  const explain = (output: string): readonly CheckFinding[] =>
    output.split('\n').flatMap((line) => (line.trim() === '' ? [] : [{ message: line.trim() }]));
  return { title: argv.join(' '), tool: argv[0] ?? '', argv, explain, ...rest };
}

/** A user's file for Prometheus. */
export function fileOf(
  path: string,
  content: RenderedFile['content'] = '',
  rest: Partial<RenderedFile> = {},
): RenderedFile {
  return { service: 'prometheus', path, content, mode: 0o444, origin: path, isVerbatim: true, ...rest };
}
