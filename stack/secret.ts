/** A text that must not be seen: printing or serialising it gives `[secret]`; only `reveal` gives it out. */
export class Secret {
  readonly #text: string;
  /** Where it came from, in words a person knows: `!env SLACK_URL`, `!file slack.txt`. */
  readonly origin: string;
  /** Whether the person said that it may stand in a config file itself, where the program takes it from no file of its own. */
  readonly isInline: boolean;

  constructor(text: string, origin: string, isInline = false) {
    this.#text = text;
    this.origin = origin;
    this.isInline = isInline;
  }

  /** The text itself; call it only where the text leaves for the place that needs it. */
  reveal(): string {
    return this.#text;
  }

  toString(): string {
    return '[secret]';
  }

  toJSON(): string {
    return '[secret]';
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return '[secret]';
  }
}
