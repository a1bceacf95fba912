/** Grafana's dark colours. */
export const ink = {
  page: '#111217',
  panel: '#181b1f',
  line: '#2a2d34',
  grid: '#24272d',
  text: '#ccccdc',
  strong: '#e6e6f0',
  weak: '#8e8f9c',
} as const;

/** Grafana's named colours, as it draws them. */
const named: Readonly<Record<string, string>> = {
  red: '#e02f44',
  orange: '#ff9830',
  green: '#56a64b',
  blue: '#5794f2',
  purple: '#b877d9',
  text: ink.text,
};

/** Colours that series without one of their own get, in order. */
export const palette: readonly string[] = ['#73bf69', '#f2cc0c', '#8ab8ff', '#ff780a', '#f2495c', '#5794f2', '#b877d9'];

/** A colour by Grafana's name. */
export function toHex(color: string): string {
  return named[color] ?? color;
}

/** A line of text. */
export function text(
  words: string,
  at: {
    readonly x: number;
    readonly y: number;
    readonly size: number;
    readonly weight?: number;
    readonly fill?: string;
    readonly anchor?: 'start' | 'middle' | 'end';
  },
): string {
  const weight = at.weight === undefined ? '' : ` font-weight="${at.weight}"`;
  const anchor = at.anchor === undefined ? '' : ` text-anchor="${at.anchor}"`;
  return `<text x="${round(at.x)}" y="${round(at.y)}" font-size="${at.size}"${weight}${anchor} fill="${at.fill ?? ink.text}">${escapeXml(words)}</text>`;
}

/** The text, cut with an ellipsis where it would be wider than so many pixels. */
export function fitted(words: string, width: number, size: number): string {
  const room = Math.floor(width / (size * 0.545));
  return words.length <= room ? words : `${words.slice(0, Math.max(1, room - 1)).trimEnd()}…`;
}

/** A text made fit to stand in XML. */
export function escapeXml(words: string): string {
  return words.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}

/** At most one digit behind the point, so that the same drawing is the same text. */
export function round(value: number): number {
  return Math.round(value * 10) / 10;
}

/** Numbers from 0 to 1 that look random and are the same for the same seed (a linear congruential generator). */
export function* numbersFrom(seed: string): Generator<number, never> {
  let state = [...seed].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) >>> 0, 7);
  for (;;) {
    state = (state * 1664525 + 1013904223) >>> 0;
    yield state / 2 ** 32;
  }
}
