import type { KeyPath } from '../../stack/diagnostic.ts';
import type { FilledLines } from '../../stack/model.ts';
import { Secret } from '../../stack/secret.ts';
import { writeQuoted } from './yaml-writer.ts';

/** What a text with marks becomes. */
export interface MarkedText {
  readonly content: string | Secret;
  /** The text fit to be seen, when the content is a Secret. */
  readonly masked?: string;
  readonly secrets?: readonly Secret[];
  /** The lines that came from stack.yml. */
  readonly filled: readonly FilledLines[];
}

/**
 * Marks put into a text while it is put together, and taken out when it is whole: where a secret belongs, and which
 * part came from which key of stack.yml. Marks have NULs, which no YAML file can hold.
 */
export class SourceMarkers {
  readonly #secrets: Secret[] = [];
  readonly #paths: KeyPath[] = [];

  /** What stands for a secret: in the end the secret as a YAML scalar. */
  secret(secret: Secret): string {
    const known = this.#secrets.indexOf(secret);
    return `\0s${known === -1 ? this.#secrets.push(secret) - 1 : known}\0`;
  }

  /** The text, marked as the value of a key of stack.yml. */
  from(path: KeyPath, text: string): string {
    return `\0b${this.#paths.push(path) - 1}\0${text}\0e\0`;
  }

  /** The text without its marks: the secrets in their places, and a form to show when there are any. */
  finish(marked: string): MarkedText {
    if (!marked.includes('\0')) return { content: marked, filled: [] };
    const { text, filled } = this.#takePaths(marked);
    const inside = [...text.matchAll(secretMark)].flatMap(([, at]) => this.#secrets[Number(at)] ?? []);
    if (inside.length === 0) return { content: text, filled };
    const secrets = [...new Set(inside)];
    const origin = [...new Set(secrets.map((one) => one.origin))].join(', ');
    return {
      content: new Secret(
        this.#show(text, (secret) => secret.reveal()),
        origin,
      ),
      masked: this.#show(text, String),
      secrets,
      filled,
    };
  }

  /** Parts never hold parts, so an end belongs to the last beginning. */
  #takePaths(marked: string): { text: string; filled: readonly FilledLines[] } {
    const filled: FilledLines[] = [];
    const pieces: string[] = [];
    let begun = { path: [] as KeyPath, line: 1 };
    let line = 1;
    let from = 0;
    for (const mark of marked.matchAll(pathMark)) {
      const piece = marked.slice(from, mark.index);
      pieces.push(piece);
      line += countLineBreaks(piece);
      from = mark.index + mark[0].length;
      if (mark[1] === undefined) filled.push({ path: begun.path, from: begun.line, to: line });
      else begun = { path: this.#paths[Number(mark[1])] ?? [], line };
    }
    return { text: [...pieces, marked.slice(from)].join(''), filled };
  }

  #show(text: string, show: (secret: Secret) => string): string {
    return text.replace(secretMark, (mark, at) => {
      const secret = this.#secrets[Number(at)];
      return secret === undefined ? mark : writeQuoted(show(secret));
    });
  }
}

const secretMark = /\0s(\d+)\0/g;
const pathMark = /\0(?:b(\d+)|e)\0/g;

function countLineBreaks(text: string): number {
  let count = 0;
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) count++;
  return count;
}
