const space = /[ \t\r\n]*/y;
const scalar =
  /"(?:[^"\\\t\r\n]|\\(?:["\\/bfnrt]|u[\da-fA-F]{4}))*"|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?|true|false|null/y;

/** Where a text stops being JSON, counted from 0; undefined when it is JSON. JavaScript's own errors often do not say it. */
export function jsonErrorAt(text: string): number | undefined {
  let at = 0;
  const take = (pattern: RegExp): boolean => {
    pattern.lastIndex = at;
    const match = pattern.exec(text);
    at += match?.[0].length ?? 0;
    return match !== null;
  };
  const takes = (token: string): boolean => {
    take(space);
    if (!text.startsWith(token, at)) return false;
    at += token.length;
    return true;
  };
  /** Whether the items are read up to the closing bracket. */
  const items = (close: string, item: () => boolean): boolean => {
    if (takes(close)) return true;
    do if (!item()) return false;
    while (takes(','));
    return takes(close);
  };
  const value = (): boolean => {
    if (takes('[')) return items(']', value);
    if (takes('{')) return items('}', () => key() && takes(':') && value());
    return take(scalar);
  };
  const key = (): boolean => {
    take(space);
    return text[at] === '"' && take(scalar);
  };
  if (!value()) return at;
  take(space);
  return at === text.length ? undefined : at;
}
