/** Numbers and times as the page shows them: short, with their unit, and as wide as the next value will be. */

const counts = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });

/** `12,345` */
export function countText(count: number): string {
  return counts.format(count);
}

/** `3 groups`, `1 group` */
export function plural(count: number, singular: string, plural = `${singular}s`): string {
  return `${countText(count)} ${count === 1 ? singular : plural}`;
}

/** `1.2 MB`, in powers of 1,000. */
export function bytesText(bytes: number): string {
  if (bytes < 1_000) return `${bytes} B`;
  const power = Math.min(4, Math.floor(Math.log10(bytes) / 3));
  return `${threeDigits(bytes / 1_000 ** power)} ${['B', 'kB', 'MB', 'GB', 'TB'][power]}`;
}

/** Three significant digits at most: `0.42`, `12.4`, `1,240`, `12.4 k`. */
export function rateText(value: number): string {
  if (value === 0) return '0';
  if (Math.abs(value) < 0.01) return '< 0.01';
  if (Math.abs(value) < 10_000) return threeDigits(value);
  return value < 1e6 ? `${threeDigits(value / 1e3)} k` : `${threeDigits(value / 1e6)} M`;
}

function threeDigits(value: number): string {
  const digits = Math.abs(value) < 1 ? 2 : Math.abs(value) < 100 ? 1 : 0;
  const text = value.toFixed(digits);
  return digits === 0 ? countText(value) : text.replace(/\.?0+$/, '');
}

/** A duration in one or two units: `4 s`, `5 min`, `2 h 4 min`, `12 d`. */
export function durationText(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1_000));
  if (seconds < 90) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 90) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 10) return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`;
  return hours < 48 ? `${hours} h` : `${Math.floor(hours / 24)} d`;
}

/** How long a step took: `340 ms`, `1.3 s`. */
export function tookText(ms: number): string {
  return ms < 1_000 ? `${Math.round(ms)} ms` : `${threeDigits(ms / 1_000)} s`;
}

const times = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' });
const days = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short' });

/** The time of day of this browser's timezone, with the day unless it is today: `29 Nov 12:01:03`. */
export function timeText(at: number, now: number): string {
  const [date, today] = [new Date(at), new Date(now)];
  const time = times.format(date);
  return date.toDateString() === today.toDateString() ? time : `${days.format(date)} ${time}`;
}

/** The cause in an error of a scrape, without the address that stands beside it: `connect: connection refused`. */
export function causeText(error: string): string {
  return error.replace(/^Get "[^"]*": /, '').replace(/^dial tcp(?: [^ ]+)?: /, '');
}

/** Control characters but for tab and line feed, marks that change the direction of text, and characters without a width. */
const invisible = /(?![\n\t])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/** The text with each invisible character written as its escape, `\u{202e}`, so that no name can pose as another. */
export function visible(text: string): string {
  return text.replace(invisible, (mark) => `\\u{${mark.codePointAt(0)?.toString(16).padStart(4, '0')}}`);
}

/** The address when it is one of a web page; undefined for `javascript:` and everything else. */
export function webAddress(text: string): string | undefined {
  if (!/^https?:\/\//i.test(text) || !URL.canParse(text)) return undefined;
  return new URL(text).href;
}
