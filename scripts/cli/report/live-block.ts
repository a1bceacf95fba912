/** Lines at the bottom of a terminal that are redrawn in place. */
export interface LiveBlock {
  /** Replaces the live lines, and writes `above`, whole lines that stay, above them. */
  draw(above: string, lines: readonly string[]): void;
}

const hideCursor = '\x1b[?25l';
const showCursor = '\x1b[?25h';
const eraseLine = '\x1b[K';
const eraseBelow = '\x1b[J';

/** Also redraws correctly after the terminal became narrower. */
export function liveBlock(terminal: { write: (text: string) => void; columns: () => number }): LiveBlock {
  let drawn: readonly string[] = [];
  return {
    draw: (above, lines) => {
      if (above === '' && drawn.length === 0 && lines.length === 0) return;
      const rows = drawn.reduce((sum, line) => sum + rowsOf(line, terminal.columns()), 0);
      const back = rows === 0 ? '' : `\x1b[${rows}A\r`;
      const hide = drawn.length === 0 && lines.length > 0 ? hideCursor : '';
      const show = drawn.length > 0 && lines.length === 0 ? showCursor : '';
      // Lines that stay may wrap, so the rows below are cleared first; live lines do not, so erasing to their end is enough.
      const clear = rows > 0 && (above !== '' || lines.length < drawn.length || rows > drawn.length) ? eraseBelow : '';
      const live = lines.map((line) => `${line}${eraseLine}\n`).join('');
      terminal.write(`${hide}${back}${clear}${above}${live}${show}`);
      drawn = lines;
    },
  };
}

function rowsOf(line: string, columns: number): number {
  return Math.max(1, Math.ceil(widthOf(line) / columns));
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: colours are control characters
const colourCodes = /\x1b\[[\d;]*m/g;

/** The number of visible characters. */
export function widthOf(text: string): number {
  return [...text.replace(colourCodes, '')].length;
}

/** The first line, cut to `columns` characters with an ellipsis. */
export function clip(text: string, columns: number): string {
  const [line = ''] = text.split('\n');
  const characters = [...line];
  if (characters.length <= columns) return line;
  return columns < 2 ? '' : `${characters.slice(0, columns - 1).join('')}…`;
}
