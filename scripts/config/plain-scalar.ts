/** What stands there is not of the plain kind, which says nothing against it. */
export class NotPlain extends Error {}

const number = /^[-+]?(?:\d+|\d+\.\d*|\.\d+)(?:[eE][-+]?\d+)?$/;
const words: Readonly<Record<string, unknown>> = {
  '~': null,
  null: null,
  Null: null,
  NULL: null,
  true: true,
  True: true,
  TRUE: true,
  false: false,
  False: false,
  FALSE: false,
  '[]': [],
  '{}': {},
};

/** A value on one line, by YAML's core schema; throws NotPlain where YAML has more to say than this. */
export function readPlainScalar(written: string): unknown {
  const first = written[0] ?? '';
  if (first === '"') return doubleQuoted(written);
  if (first === "'") return singleQuoted(written);
  if (Object.hasOwn(words, written)) return structuredClone(words[written]);
  // Characters that begin something else, a comment, or a key within.
  if (/^[[\]{},&*!|>%@`#?:]|^-(?: |$)|: |:$| #/.test(written)) throw new NotPlain();
  if (!/^[-+.\d]/.test(first)) return written;
  if (number.test(written)) return Number(written);
  // Octal, hexadecimal, infinite: rare enough to leave to the yaml package.
  if (/^0[xo]|^[-+]?\.[inIN]/.test(written)) throw new NotPlain();
  return written;
}

function doubleQuoted(written: string): string {
  // Where YAML's escapes are JSON's.
  if (!/^"(?:[^"\\]|\\["\\/bfnrt])*"$/.test(written)) throw new NotPlain();
  return written.includes('\\') ? JSON.parse(written) : written.slice(1, -1);
}

function singleQuoted(written: string): string {
  if (!/^'(?:[^']|'')*'$/.test(written)) throw new NotPlain();
  return written.slice(1, -1).replaceAll("''", "'");
}
