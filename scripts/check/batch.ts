/** A shell script that runs commands one after the other and tells them apart in its output by marks with `id`. */
export function batchScript(commands: readonly (readonly string[])[], id: string): string {
  const lines = commands.flatMap((argv) => [
    `${argv.map(quoted).join(' ')} 2>&1`,
    // The empty line ends an output whose last line has no end.
    `printf '\\n%s %d\\n' 'end-${id}' $?`,
  ]);
  return ['#!/bin/sh', ...lines, 'exit 0', ''].join('\n');
}

/** The exit code and output of each command that ended, in their order. */
export function readBatch(output: string, id: string): readonly { exitCode: number; output: string }[] {
  const pieces = output.split(new RegExp(`^end-${id} (\\d+)$`, 'm'));
  const runs: { exitCode: number; output: string }[] = [];
  for (let at = 0; at + 1 < pieces.length; at += 2) {
    runs.push({ exitCode: Number(pieces[at + 1]), output: pieces[at] ?? '' });
  }
  return runs;
}

function quoted(argument: string): string {
  return `'${argument.replaceAll("'", "'\\''")}'`;
}
