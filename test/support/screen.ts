const esc = '\u001b';
const parts = new RegExp(`${esc}\\[\\??\\d*(?:;\\d+)*[A-Za-z]|[^]`, 'gu');

/** A terminal's screen as far as our live lines use it: what a person would see after everything written so far. */
export class Screen {
  columns: number;
  readonly #rows: string[] = [''];
  #row = 0;
  #column = 0;
  isCursorShown = true;

  constructor(columns: number) {
    this.columns = columns;
  }

  /** Takes text and the control sequences that live lines are drawn with; throws on any other. */
  write(text: string): void {
    for (const [part] of text.matchAll(parts)) this.#take(part);
  }

  /** The lines on the screen without blank ones at its end. */
  text(): string {
    return this.#rows
      .map((row) => row.trimEnd())
      .join('\n')
      .trimEnd();
  }

  #take(part: string): void {
    if (part === '\n') {
      this.#row += 1;
      this.#column = 0;
      this.#rows[this.#row] ??= '';
    } else if (part === '\r') this.#column = 0;
    else if (part.startsWith(esc)) this.#control(part);
    else this.#put(part);
  }

  #put(character: string): void {
    if (this.#column === this.columns) this.#take('\n');
    const row = [...(this.#rows[this.#row] ?? '').padEnd(this.#column)];
    row[this.#column] = character;
    this.#rows[this.#row] = row.join('');
    this.#column += 1;
  }

  #control(sequence: string): void {
    const [code = '', count = '1'] = [sequence.slice(-1), sequence.slice(2, -1)];
    if (sequence.endsWith('[?25l')) this.isCursorShown = false;
    else if (sequence.endsWith('[?25h')) this.isCursorShown = true;
    else if (code === 'A') this.#row = Math.max(0, this.#row - Number(count));
    else if (code === 'K') this.#cut();
    else if (code === 'J') {
      this.#cut();
      this.#rows.length = this.#row + 1;
    } else if (code !== 'm') throw new Error(`the screen does not know ${JSON.stringify(sequence)}`);
  }

  #cut(): void {
    this.#rows[this.#row] = [...(this.#rows[this.#row] ?? '')].slice(0, this.#column).join('');
  }
}
