import { isScalar, LineCounter, parseDocument, visit } from 'yaml';
import type { CheckFinding, RenderedFile } from '../model.ts';
import { contentOf } from '../secret.ts';
import { closest } from './closest.ts';

/** A parsed error message of a Go program about a config file. */
export interface GoMessage {
  readonly message: string;
  readonly line?: number | undefined;
  /** Text to search the file for. */
  readonly about?: string | undefined;
}

/**
 * Rewrites errors of Go's YAML and regexp packages without Go types and tags; other messages stay as they are. Tested with the
 * messages of promtool 3.5.3 and amtool 0.33.1.
 */
export function parseGoMessage(sentence: string): GoMessage {
  const location = /^(?:yaml: )?line (\d+): (.*)$/.exec(sentence);
  const text = (location?.[2] ?? sentence).replace(/^yaml: /, '');
  const line = location === null ? undefined : Number(location[1]);
  for (const [pattern, rewrite] of wordings) {
    const match = pattern.exec(text);
    if (match !== null) return { line, ...rewrite(match) };
  }
  return { line, message: text };
}

type Wording = readonly [
  pattern: RegExp,
  rewrite: (match: RegExpExecArray) => { message: string; about?: string | undefined },
];

const wordings: readonly Wording[] = [
  [/^field (.+?) not found in type .+$/, ([, key = '']) => ({ message: `unknown key "${key}"`, about: key })],
  [
    /^(?:mapping key|key) "(.+)" already (?:defined|set).*$/,
    ([, key = '']) => ({ message: `the key "${key}" is set twice`, about: key }),
  ],
  [
    /^cannot unmarshal (!!\w+)(?: `(.*)`)? into (.+)$/,
    ([, tag = '', value, type = '']) => {
      const actual = `${kinds[tag] ?? 'this value'}${value === undefined ? '' : ` (${value})`}`;
      const name = typeName(type);
      const message = name === undefined ? `${actual} is not valid here` : `expected ${name}, got ${actual}`;
      return { message, about: value?.replace(/\.\.\.$/, '') };
    },
  ],
  [
    /^(.*?)error parsing regexp: (.*?): `(.*)`$/s,
    ([, before = '', why = '', anchored = '']) => {
      const expression = withoutAnchors(anchored);
      return { message: `${before}invalid regular expression ${expression}: ${why}`, about: expression };
    },
  ],
  [
    /^found character that cannot start any token$/,
    () => ({
      message: 'YAML does not allow this character here: put the value in quotes, and replace tabs with spaces',
    }),
  ],
  [/^not a valid duration string: "(.*)"$/, ([message = '', about = '']) => ({ message, about })],
  [/^(?:unknown|missing) unit (?:".*" )?in duration "(.*)"$/, ([message = '', about = '']) => ({ message, about })],
  [/^"(.+)" does not point to an existing file$/, ([message = '', about = '']) => ({ message, about })],
];

const kinds: Readonly<Record<string, string>> = {
  '!!str': 'a string',
  '!!int': 'a number',
  '!!float': 'a number',
  '!!bool': 'true or false',
  '!!null': 'nothing',
  '!!seq': 'a list',
  '!!map': 'a mapping',
};

function typeName(type: string): string | undefined {
  if (type.startsWith('[]')) return 'a list';
  if (/^(?:u?int|float)\d*$/.test(type)) return 'a number';
  if (type === 'bool') return 'true or false';
  return type === 'string' ? 'a string' : undefined;
}

/** Both programs put the user's expression between anchors before they compile it. */
function withoutAnchors(expression: string): string {
  return /^\^\(\?s?:(.*)\)\$$/s.exec(expression)?.[1] ?? expression;
}

/** Findings about unknown keys with the known one that was probably meant; a known key is one that this image does not have. */
export function withKeyHints(findings: readonly CheckFinding[], known: readonly string[]): readonly CheckFinding[] {
  return findings.map((finding) => {
    const key = /^unknown key "(.*)"$/.exec(finding.message)?.[1];
    const now = key === undefined ? undefined : renamedKeys[key];
    if (now !== undefined) return { ...finding, hint: `Prometheus 3.0 renamed it to "${now}"` };
    if (key !== undefined && known.includes(key)) return { ...finding, ...notInImage(key) };
    const near = key === undefined ? undefined : closest(key, known, 2);
    return near === undefined ? finding : { ...finding, hint: `did you mean "${near}"?` };
  });
}

const renamedKeys: Readonly<Record<string, string>> = {
  scrape_classic_histograms: 'always_scrape_classic_histograms',
};

/** A key that the server has in other versions or builds: Debian's Prometheus has no discovery by Consul, Azure or OpenStack. */
function notInImage(key: string): Pick<CheckFinding, 'message' | 'hint'> {
  return {
    message: `this image does not have "${key}": it is too old, or was built without it`,
    hint: 'use the official image of a newer version, or remove the key',
  };
}

/** Why a Go program crashed; undefined for the output of one that did not. */
function crashIn(output: string): string | undefined {
  if (!/^goroutine \d+ .*\[/m.test(output)) return undefined;
  return /(?:^|')(?:panic|fatal error): (.*?)(?: \[recovered.*)?$/m.exec(output)?.[1];
}

/** The one finding in the output of a tool that crashed while it read a file; undefined when it did not crash. */
export function explainCrash(
  tool: string,
  output: string,
  file: RenderedFile | undefined,
): readonly CheckFinding[] | undefined {
  const why = crashIn(output);
  if (why === undefined) return undefined;
  const line = file === undefined ? undefined : lineOfEmptyItem(contentOf(file));
  const cause = line === undefined ? '' : ' on this empty item of a list, and so does the server';
  return [{ path: file?.path, line, message: `${tool} crashes${cause}: ${why}` }];
}

/** The line of the first item of a list that is empty: the usual reason of a nil pointer. */
function lineOfEmptyItem(content: string): number | undefined {
  const lines = new LineCounter();
  const document = parseDocument(content, { lineCounter: lines, logLevel: 'silent', prettyErrors: false });
  let line: number | undefined;
  visit(document, {
    Seq: (_key, { items }) => {
      const empty = items.find((item) => isScalar(item) && item.value === null);
      if (!isScalar(empty)) return undefined;
      line = lines.linePos(empty.range?.[0] ?? 0).line;
      return visit.BREAK;
    },
  });
  return line;
}
