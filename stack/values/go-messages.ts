/** A sentence of a Go program about a config file, and what it tells besides its words. */
export interface GoMessage {
  readonly message: string;
  readonly line?: number;
  /** A text that stands in the file where the problem is. */
  readonly about?: string;
}

/**
 * Puts what Go's YAML and regexp packages say into words about the file: no Go types, no tags. Sentences that are
 * not known stay as they are. Tried on the messages of promtool 3.5.3 and amtool 0.33.1.
 */
export function parseGoMessage(sentence: string): GoMessage {
  const place = /^(?:yaml: )?line (\d+): (.*)$/.exec(sentence);
  const text = (place?.[2] ?? sentence).replace(/^yaml: /, '');
  const line = place === null ? {} : { line: Number(place[1]) };
  for (const [pattern, tell] of wordings) {
    const match = pattern.exec(text);
    if (match !== null) return { ...line, ...tell(match) };
  }
  return { ...line, message: text };
}

type Wording = readonly [pattern: RegExp, tell: (match: RegExpExecArray) => { message: string; about?: string }];

const wordings: readonly Wording[] = [
  [
    /^field (.+?) not found in type .+$/,
    ([, key = '']) => ({ message: `there is no field "${key}" here`, about: key }),
  ],
  [
    /^(?:mapping key|key) "(.+)" already (?:defined|set).*$/,
    ([, key = '']) => ({ message: `the key "${key}" is written twice`, about: key }),
  ],
  [
    /^cannot unmarshal (!!\w+)(?: `(.*)`)? into (.+)$/,
    ([, tag = '', value, type = '']) => ({
      message: `${kinds[tag] ?? 'this'}${value === undefined ? '' : ` (${value})`} stands where ${wanted(type)} is expected`,
      ...(value === undefined ? {} : { about: value.replace(/\.\.\.$/, '') }),
    }),
  ],
  [
    /^(.*?)error parsing regexp: (.*?): `(.*)`$/s,
    ([, before = '', why = '', shown = '']) => {
      const expression = withoutAnchors(shown);
      return { message: `${before}the regular expression ${expression} is not valid: ${why}`, about: expression };
    },
  ],
  [/^not a valid duration string: "(.*)"$/, ([message = '', about = '']) => ({ message, about })],
  [/^(?:unknown|missing) unit (?:".*" )?in duration "(.*)"$/, ([message = '', about = '']) => ({ message, about })],
  [/^"(.+)" does not point to an existing file$/, ([message = '', about = '']) => ({ message, about })],
];

const kinds: Readonly<Record<string, string>> = {
  '!!str': 'a text',
  '!!int': 'a number',
  '!!float': 'a number',
  '!!bool': 'true or false',
  '!!null': 'nothing',
  '!!seq': 'a list',
  '!!map': 'a mapping',
};

function wanted(type: string): string {
  if (type.startsWith('[]')) return 'a list';
  if (/^(?:u?int|float)\d*$/.test(type)) return 'a number';
  if (type === 'bool') return 'true or false';
  return type === 'string' ? 'a text' : 'something else';
}

/** Both programs put a person's expression between anchors before they compile it. */
function withoutAnchors(expression: string): string {
  return /^\^\(\?s?:(.*)\)\$$/s.exec(expression)?.[1] ?? expression;
}
