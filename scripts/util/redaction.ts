import type { Report } from './event.ts';

/**
 * The secrets that this process has read, and the one place that removes them from what it prints. Texts are found in the
 * encodings that servers and libraries print them in; passwords and tokens in URLs are removed without being known.
 */
const known = new Map<string, string>();
let pattern: RegExp | undefined;

export const mask = '[secret]';

/** A shorter text occurs in other words by chance: it is removed only where it is a word of its own. */
const shortestPart = 6;
/** No secret of anybody, but in every other line. */
const shortest = 3;

/** Words that promstack prints itself: removing them would make its results useless, and says what the secret is. */
const ownWords: ReadonlySet<string> = new Set(
  [
    'admin',
    'alertmanager',
    'false',
    'grafana',
    'none',
    'null',
    'prometheus',
    'promstack',
    'pushgateway',
    'secret',
  ].concat(['running', 'sink', 'stack', 'traffic', 'true', mask, '/cgi-bin/notify']),
);

/** From now on, `redact` removes the text and its parts. */
export function addSecret(text: string): void {
  for (const part of partsOf(text)) {
    if (part.length < shortest || ownWords.has(part) || known.has(part)) continue;
    known.set(part, toPattern(part));
    pattern = undefined;
  }
}

/** For a new command in the same process. */
export function forgetSecrets(): void {
  known.clear();
  pattern = undefined;
}

/** The text without secrets, but for those that are meant to be printed. */
export function redact(text: string, revealed: readonly string[] = []): string {
  const printed =
    known.size === 0
      ? text
      : text.replace(patternOfAll(), (found) => (revealed.some((secret) => isWritten(found, secret)) ? found : mask));
  return redactUrls(printed);
}

/** The text with each secret covered, as long as it was: for a line of which only a part is shown. */
export function covered(text: string): string {
  const cover = (secret: string): string => '*'.repeat(secret.length);
  return inUrls(known.size === 0 ? text : text.replace(patternOfAll(), cover), cover);
}

function isWritten(found: string, secret: string): boolean {
  return found === secret || found === JSON.stringify(secret).slice(1, -1);
}

/** What may be printed on its own: the lines of a key, the path of a URL whose host is no secret. */
function partsOf(text: string): readonly string[] {
  const whole = text.trim();
  const lines = whole.split(/\r?\n/).map((line) => line.trim());
  const [, path = ''] = /^[a-z][\w+.-]*:\/\/[^/?#\s]+([/?#]\S{7,})$/i.exec(whole) ?? [];
  const base64 = whole.length < shortestPart ? [] : [Buffer.from(whole).toString('base64')];
  const ofKey = lines.length === 1 ? [] : lines.filter((line) => line.length >= 8 && !line.startsWith('-----'));
  return [whole, ...ofKey, ...(path === '' ? [] : [path]), ...base64];
}

/** Go's YAML package prints the first characters of a value it cannot use. */
const shownByGo = 7;

/** Matches the text however it is written: percent-encoded, with escapes of JSON, Go or HTML, or with other white space. */
function toPattern(text: string): string {
  const whole = text.replaceAll(/\s+|[^\s]/gu, encodingsOf);
  const start = [...text].slice(0, shownByGo);
  const cut = start.length < shownByGo ? '' : `|${start.map((part) => encodingsOf(part)).join('')}\\.\\.\\.`;
  return text.length < shortestPart ? `(?<![\\p{L}\\p{N}])${whole}(?![\\p{L}\\p{N}])` : `${whole}${cut}`;
}

function encodingsOf(part: string): string {
  if (/^\s/.test(part)) return '(?:\\s|\\\\+[nrt]|\\\\+u00[02][9adAD0]|%(?:25)*(?:0[9adAD]|20)|\\+)+';
  if (/^[A-Za-z0-9]$/.test(part)) return part;
  const literal = part.replaceAll(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
  const bytes = [...Buffer.from(part)].map((byte) => byte.toString(16).padStart(2, '0'));
  const percent = bytes.map((byte) => `%(?:25)*${anyCase(byte)}`).join('');
  const goBytes = bytes.map((byte) => `\\\\+x${anyCase(byte)}`).join('');
  const json = part
    .split('')
    .map((unit) => `\\\\+u${anyCase(unit.charCodeAt(0).toString(16).padStart(4, '0'))}`)
    .join('');
  const html = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&(?:quot|#34);', "'": '&(?:apos|#39);' }[part];
  return `(?:\\\\*${literal}|${percent}|${goBytes}|${json}${html === undefined ? '' : `|${html}`})`;
}

const anyCase = (hex: string): string => hex.replaceAll(/[a-f]/g, (digit) => `[${digit}${digit.toUpperCase()}]`);

function patternOfAll(): RegExp {
  const longestFirst = [...known].sort(([first], [second]) => second.length - first.length);
  pattern ??= new RegExp(longestFirst.map(([, one]) => one).join('|'), 'gu');
  return pattern;
}

/** Between the scheme and the host: `user:password`, or a token alone. Hints have the word PASSWORD in its place. */
const userInfo = /(:\/\/[^\s/:@'"`?#]*:)(?!\[secret\]|PASSWORD@)[^\s/@'"`]+(?=@)/g;
const userToken = /(\bhttps?:\/\/)(?!\[secret\])[^\s/:@'"`?#]+(?=@)/g;
/** A parameter whose name says that its value is secret. The separator may be escaped, as in JSON by Go. */
const parameter =
  /((?:[?&]|\\u0026|%26|%3f)(?:[\w.%-]*(?:token|secret|passw|pwd|credential|signature|jwt|api[-_.]?key|access[-_.]?key|auth(?!or))[\w.%-]*|key|pass|sig)(?:=|%3d))(?!\[secret\])[^\s&;#"'`\\<>)\]}]+/gi;
/** Telegram has the token of a bot in the path. */
const botToken = /(\/bot\d+:)[\w-]{10,}/g;

/** The text without the passwords and tokens in its URLs; each is passed to `onSecret`. */
export function redactUrls(text: string, onSecret: (secret: string) => void = () => undefined): string {
  return inUrls(text, (secret) => {
    onSecret(secret);
    return mask;
  });
}

function inUrls(text: string, replace: (secret: string) => string): string {
  if (!/:\/\/|[?&]|%3f|u0026|\/bot\d/i.test(text)) return text;
  return [userInfo, userToken, parameter, botToken].reduce(
    (rest, part) =>
      rest.replace(part, (found: string, before: string) => `${before}${replace(found.slice(before.length))}`),
    text,
  );
}

/** A report that gets events without secrets; none by default. */
export function redacted(report: Report = () => undefined): Report {
  return (event) => report(redactIn(event));
}

/** The value with its strings redacted: those of lists and plain objects in a copy, those of an error and its causes in place. */
export function redactIn<T>(value: T, seen: Set<unknown> = new Set()): T {
  if (typeof value === 'string') return redact(value) as T;
  if (typeof value !== 'object' || value === null || seen.has(value)) return value;
  seen.add(value);
  const isError = value instanceof Error;
  if (!isError && !Array.isArray(value) && Object.getPrototypeOf(value) !== Object.prototype) return value;
  const copy: object = isError ? value : Array.isArray(value) ? [...value] : { ...value };
  let isChanged = isError;
  // The message of a DOMException is none of its own properties.
  for (const key of isError ? new Set([...Reflect.ownKeys(value), 'message']) : Reflect.ownKeys(value)) {
    const before: unknown = Reflect.get(value, key);
    const after = redactIn(before, seen);
    if (after === before) continue;
    isChanged = true;
    const { enumerable = false } = Reflect.getOwnPropertyDescriptor(value, key) ?? {};
    Reflect.defineProperty(copy, key, { value: after, enumerable, writable: true, configurable: true });
  }
  return (isChanged ? copy : value) as T;
}
