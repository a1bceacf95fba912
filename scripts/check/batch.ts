/**
 * A shell script that runs commands, each of one or more runs, one after the other and tells them apart in its output by
 * marks with `id`.
 */
export function batchScript(commands: readonly (readonly (readonly string[])[])[], id: string): string {
  const lines = commands.flatMap((runs) => [
    `${shellLine(runs)} 2>&1`,
    // The empty line ends an output whose last line has no end.
    `printf '\\n%s %d\\n' 'end-${id}' $?`,
  ]);
  return ['#!/bin/sh', ...lines, 'exit 0', ''].join('\n');
}

/** One line of shell that makes every run, and fails when one of them does. */
export function shellLine(runs: readonly (readonly string[])[]): string {
  const lines = runs.map((argv) => argv.map(quoted).join(' '));
  return lines.length === 1 ? String(lines[0]) : `(r=0; ${lines.map((line) => `${line} || r=$?; `).join('')}exit $r)`;
}

/** The exit code and output of each command that ended, in their order. */
export function readBatch(output: string, id: string): readonly Ended[] {
  const pieces = output.split(new RegExp(`^end-${id} (\\d+)$`, 'm'));
  const runs: Ended[] = [];
  for (let at = 0; at + 1 < pieces.length; at += 2) {
    runs.push({ exitCode: Number(pieces[at + 1]), output: pieces[at] ?? '' });
  }
  return runs;
}

/** How a program ended and what it printed. */
export interface Ended {
  readonly exitCode: number;
  readonly output: string;
}

/** Several runs as one: the last exit code that is not 0 counts. */
export function together(runs: readonly Ended[]): Ended {
  return {
    exitCode: runs.findLast((run) => run.exitCode !== 0)?.exitCode ?? 0,
    output: runs.map(({ output }) => output).join('\n'),
  };
}

function quoted(argument: string): string {
  return `'${argument.replaceAll("'", "'\\''")}'`;
}
