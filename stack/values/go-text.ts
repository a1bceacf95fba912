const letters: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
  '"': '"',
};

const part = /\\(?:[abfnrtv\\"]|x[\da-fA-F]{2}|[0-3][0-7]{2}|u[\da-fA-F]{4}|U[\da-fA-F]{8})|[^\\\n]+/g;

/** What stands between double quotes in Go (strconv.Unquote); undefined when Go would not take it. */
export function fromGoQuotes(quoted: string): string | undefined {
  const parts = quoted.match(part) ?? [];
  if (parts.join('') !== quoted) return undefined;
  try {
    // Escapes may give single bytes, which are a text only together: percent signs tell bytes and letters alike.
    return decodeURIComponent(parts.map(toPercent).join(''));
  } catch {
    return undefined;
  }
}

function toPercent(text: string): string {
  if (!text.startsWith('\\')) return encodeURIComponent(text);
  const kind = text.charAt(1);
  const letter = letters[kind];
  if (letter !== undefined) return encodeURIComponent(letter);
  if (kind === 'u' || kind === 'U') return encodeURIComponent(String.fromCodePoint(Number.parseInt(text.slice(2), 16)));
  const byte = kind === 'x' ? Number.parseInt(text.slice(2), 16) : Number.parseInt(text.slice(1), 8);
  return `%${byte.toString(16).padStart(2, '0')}`;
}
