/** A string that is never printed or serialised: it shows as `[secret]`, and only `reveal` returns it. */
export class Secret {
  readonly #text: string;
  /** Its source, for messages: `!env SLACK_URL`, `!file slack.txt`. */
  readonly origin: string;
  /** Whether the user allowed it inside a config file, for keys that the program cannot read from a file. */
  readonly isInline: boolean;

  constructor(text: string, origin: string, isInline = false) {
    this.#text = text;
    this.origin = origin;
    this.isInline = isInline;
  }

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

/** The content of a file, secret or not. */
export function contentOf(file: { readonly content: string | Secret }): string {
  return file.content instanceof Secret ? file.content.reveal() : file.content;
}
