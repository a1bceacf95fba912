import { Secret } from '../../stack/secret.ts';
import { writeQuoted } from './yaml-writer.ts';

/**
 * Keeps secrets out of a text while it is put together: each leaves a mark in its place, and only at the end is the
 * text made twice, once with the secrets and once fit to be seen. A mark has NULs, which no YAML file can hold.
 */
export class SecretPlaces {
  readonly #secrets: Secret[] = [];

  /** The mark that stands for a secret in a YAML text. */
  mark(secret: Secret): string {
    const known = this.#secrets.indexOf(secret);
    return `\0${known === -1 ? this.#secrets.push(secret) - 1 : known}\0`;
  }

  /** The finished text: a Secret with a form to show when there is a mark in it. */
  finish(text: string): { readonly content: string } | { readonly content: Secret; readonly masked: string } {
    const inside = [...text.matchAll(marks)]
      .map(([, at]) => this.#secrets[Number(at)])
      .filter((one) => one !== undefined);
    if (inside.length === 0) return { content: text };
    const origin = [...new Set(inside.map((one) => one.origin))].join(', ');
    return {
      content: new Secret(
        this.#fill(text, (secret) => secret.reveal()),
        origin,
      ),
      masked: this.#fill(text, String),
    };
  }

  #fill(text: string, show: (secret: Secret) => string): string {
    return text.replace(marks, (mark, at) => {
      const secret = this.#secrets[Number(at)];
      return secret === undefined ? mark : writeQuoted(show(secret));
    });
  }
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: NUL is what makes a mark unlike any text.
const marks = /\0(\d+)\0/g;
