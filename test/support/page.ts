import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../scripts/util/package-root.ts';

/** A fenced block of a page of the documentation. */
export interface Block {
  readonly language: string;
  /** The file that the block is, of `yaml title=rules/shop.yml`. */
  readonly file: string | undefined;
  readonly text: string;
  /** The line of the page where it begins. */
  readonly line: number;
}

/** The fenced blocks of a page, by its path from the project's root. */
export function blocksOf(page: string): readonly Block[] {
  const lines = readFileSync(join(packageRoot(), page), 'utf8').split('\n');
  const blocks: Block[] = [];
  for (let at = 0; at < lines.length; at++) {
    const [, fence = '', language = '', rest = ''] = /^(```+)(\w+)? ?(.*)$/.exec(lines[at] ?? '') ?? [];
    if (fence === '') continue;
    const end = lines.indexOf(fence, at + 1);
    if (end === -1) throw new Error(`${page}:${at + 1}: the block has no end`);
    const file = /^title=(\S+)$/.exec(rest)?.[1];
    blocks.push({ language, file, text: lines.slice(at + 1, end).join('\n'), line: at + 1 });
    at = end;
  }
  return blocks;
}

/** A command of a `console` block, with the output that the page shows. */
export interface ShownCommand {
  readonly command: string;
  readonly output: string;
}

/** The commands of a block: lines that begin with `$ `, continued after a backslash. */
export function commandsIn(block: Block): readonly ShownCommand[] {
  const parts = block.text.split(/^\$ /m).slice(1);
  return parts.map((part) => {
    const [, command = '', output = ''] = /^((?:.*\\\n)*.*)(?:\n([\s\S]*))?$/.exec(part) ?? [];
    return { command, output: output.trimEnd() };
  });
}

const masks: readonly (readonly [pattern: RegExp, by: string])[] = [
  [/\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/g, 'ID'],
  [/\b[0-9a-f]{12}\b/g, 'REVISION'],
  [/\b(?:prom|promstack|grafana)\/(\w+):[\w.-]+/g, 'image of $1'],
  [/\b\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'TIME'],
  [/\bjust now\b|\bAbout an? (?:minute|hour)\b|\b[\d.]+ (?:ms|s|seconds?|minutes?|min)( ago)?\b/g, 'DURATION$1'],
  [/\b\S+@\S+(?=\s)/g, 'USER'],
  [/ +/g, ' '],
  [/ +$/gm, ''],
];

/** Output without what differs in each run: times, ids, versions of images and the width of columns. */
export function masked(output: string): string {
  return masks.reduce((text, [pattern, by]) => text.replaceAll(pattern, by), output).trimEnd();
}

/** Whether output is as shown; a line `…` stands for any number of lines. */
export function isAsShown(actual: string, shown: string): boolean {
  const lines = masked(shown)
    .split('\n')
    .map((line) => (line === '…' ? '(?:.*\n)*' : `${line.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`)}\n`));
  return new RegExp(`^${lines.join('')}$`).test(`${masked(actual)}\n`);
}
