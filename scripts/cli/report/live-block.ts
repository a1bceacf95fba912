/** Lines at the bottom of a terminal that are drawn over and over. */
export interface LiveBlock {
  /** Writes `above`, whole lines that stay, and below it the live lines in place of those drawn before. */
  draw(above: string, lines: readonly string[]): void;
}

const hideCursor = '\x1b[?25l';
const showCursor = '\x1b[?25h';
const eraseLine = '\x1b[K';
const eraseBelow = '\x1b[J';

/** A block that knows how many rows it took, also when the terminal has become narrower since. */
export function liveBlock(terminal: { write: (text: string) => void; columns: () => number }): LiveBlock {
  let drawn: readonly string[] = [];
  return {
    draw: (above, lines) => {
      if (above === '' && drawn.length === 0 && lines.length === 0) return;
      const rows = drawn.reduce((sum, line) => sum + rowsOf(line, terminal.columns()), 0);
      const back = rows === 0 ? '' : `\x1b[${rows}A\r`;
      const hide = drawn.length === 0 && lines.length > 0 ? hideCursor : '';
      const show = drawn.length > 0 && lines.length === 0 ? showCursor : '';
      // Text that stays may wrap, so the rows below it are cleared first; live lines never do, so erasing to their end is enough.
      const clear = rows > 0 && (above !== '' || lines.length < drawn.length || rows > drawn.length) ? eraseBelow : '';
      const live = lines.map((line) => `${line}${eraseLine}\n`).join('');
      terminal.write(`${hide}${back}${clear}${above}${live}${show}`);
      drawn = lines;
    },
  };
}

/** The rows a line takes on a terminal of so many columns. */
function rowsOf(line: string, columns: number): number {
  return Math.max(1, Math.ceil(widthOf(line) / columns));
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: colours are control characters
const colourCodes = /\x1b\[[\d;]*m/g;

/** Characters of a text as seen, without its colours. */
export function widthOf(text: string): number {
  return [...text.replace(colourCodes, '')].length;
}

/** The text in at most so many characters, its first line only, cut with an ellipsis where it is longer. */
export function clip(text: string, columns: number): string {
  const [line = ''] = text.split('\n');
  const characters = [...line];
  if (characters.length <= columns) return line;
  return columns < 2 ? '' : `${characters.slice(0, columns - 1).join('')}…`;
}
