import type { KeyPath } from '../../stack/diagnostic.ts';
import type { FilledLines } from '../../stack/model.ts';
import { Secret } from '../../stack/secret.ts';
import { writeQuoted } from './yaml-writer.ts';

/** A text with its marks resolved. */
export interface MarkedText {
  readonly content: string | Secret;
  /** The text with secrets masked, when the content is a Secret. */
  readonly masked?: string;
  readonly secrets?: readonly Secret[];
  /** The lines that came from stack.yml. */
  readonly filled: readonly FilledLines[];
}

/**
 * Marks in a text while it is rendered: where a secret goes, and which part comes from which key of stack.yml.
 * `finish` removes them. Marks contain NULs, which cannot occur in YAML.
 */
export class SourceMarkers {
  readonly #secrets: Secret[] = [];
  readonly #paths: KeyPath[] = [];

  /** A mark that `finish` replaces by the secret as a YAML scalar. */
  secret(secret: Secret): string {
    const known = this.#secrets.indexOf(secret);
    return `\0s${known === -1 ? this.#secrets.push(secret) - 1 : known}\0`;
  }

  /** Marks a text as the value of a key of stack.yml. */
  from(path: KeyPath, text: string): string {
    return `\0b${this.#paths.push(path) - 1}\0${text}\0e\0`;
  }

  /** The text without marks, with its secrets filled in, and a masked copy when there are any. */
  finish(marked: string): MarkedText {
    if (!marked.includes('\0')) return { content: marked, filled: [] };
    const { text, filled } = this.#takePaths(marked);
    const used = [...text.matchAll(secretMark)].flatMap(([, at]) => this.#secrets[Number(at)] ?? []);
    if (used.length === 0) return { content: text, filled };
    const secrets = [...new Set(used)];
    const origin = [...new Set(secrets.map((secret) => secret.origin))].join(', ');
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

  /** Marked parts are never nested, so an end mark belongs to the last begin mark. */
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
