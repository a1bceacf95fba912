import { isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from 'yaml';
import type { StackConfig } from '../../stack/config.ts';
import type { KeyPath, SourceRange } from '../../stack/diagnostic.ts';
import type { FilledLines, RenderedFile } from '../../stack/model.ts';
import { Secret } from '../../stack/secret.ts';
import type { LoadedStack } from '../config/loaded.ts';
import { revealed } from '../render/show.ts';

/** Where stack.yml says what stands on a line of a rendered file. */
export function placeInStack(
  file: RenderedFile,
  part: FilledLines,
  line: number,
  about: string | undefined,
  config: StackConfig,
  locate: LoadedStack['locate'],
): SourceRange | undefined {
  const value = valueAt(config, part.path);
  if (!isCollection(value)) return locate(part.path);
  const lines = revealed(file).split('\n');
  const [first = '', ...rest] = lines.slice(part.from - 1, part.to);
  // A section that is an item of a list begins behind a dash that is not its own.
  const begin = Array.isArray(value) ? first : first.replace(/^[ -]*/, (dashes) => ' '.repeat(dashes.length));
  const inner = pathAtLine([begin, ...rest].join('\n'), line - part.from + 1);
  return locate([...part.path, ...inner], inner.at(-1) === about);
}

/** The path of keys that leads to a line of a YAML text. */
function pathAtLine(text: string, line: number): KeyPath {
  const counter = new LineCounter();
  const document = parseDocument(text, { lineCounter: counter, logLevel: 'silent', prettyErrors: false });
  const lineOf = (node: unknown): number => counter.linePos((node as Node | null)?.range?.[0] ?? 0).line;

  const descend = (node: unknown): KeyPath => {
    if (isMap(node)) {
      const pair = node.items.findLast((one) => lineOf(one.key) <= line);
      if (pair === undefined || !isScalar(pair.key)) return [];
      return [String(pair.key.value), ...descend(pair.value)];
    }
    if (!isSeq(node)) return [];
    const at = node.items.findLastIndex((item) => lineOf(item) <= line);
    return at === -1 ? [] : [at, ...descend(node.items[at])];
  };
  return descend(document.contents);
}

function valueAt(config: StackConfig, path: KeyPath): unknown {
  return path.reduce<unknown>((value, key) => (value as Record<string | number, unknown> | undefined)?.[key], config);
}

function isCollection(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !(value instanceof Secret);
}
