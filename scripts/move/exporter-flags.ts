import type { Node } from 'yaml';
import { redactUrls } from '../util/redaction.ts';
import type { Written } from './compose-project.ts';
import { placedAs, stringNode } from './yaml-tree.ts';

export const wordNode = ({ text, node }: Written): Node => placedAs(stringNode(text), node);

/** The flags of a program, each taken once; a value in a word of its own belongs to the flag before it. */
export class Flags {
  readonly #words: Written[];

  constructor(words: readonly Written[]) {
    this.#words = [];
    for (const word of words) {
      const before = this.#words.at(-1);
      const isValue = before !== undefined && !word.text.startsWith('-') && /^-[^=]*$/.test(before.text);
      if (isValue) this.#words.splice(-1, 1, { text: `${before.text}=${word.text}`, node: before.node });
      else this.#words.push(word);
    }
  }

  /** Changes the words. */
  replace(change: (word: string) => string): void {
    for (const [at, { text, node }] of this.#words.entries()) this.#words[at] = { text: change(text), node };
  }

  /** Removes a flag and returns its value. */
  take(name: string): Written | undefined {
    const at = this.#words.findIndex(({ text }) => new RegExp(`^--?${name}(?:=|$)`).test(text));
    const word = this.#words[at];
    if (word === undefined) return undefined;
    const [, value] = /^[^=]*=([\s\S]*)$/.exec(word.text) ?? [];
    this.#words.splice(at, 1);
    return { text: value ?? '', node: word.node };
  }

  /** Removes the flags that match. */
  takeAll(matches: RegExp | ((flag: string) => boolean)): readonly Written[] {
    const taken = this.#words.filter(({ text }) => (matches instanceof RegExp ? matches.test(text) : matches(text)));
    for (const word of taken) this.#words.splice(this.#words.indexOf(word), 1);
    return taken;
  }

  get rest(): readonly Written[] {
    return this.#words;
  }
}

/** Whether a flag has a password or a token, as its value or in a URL. */
export const hasSecret = (flag: string): boolean =>
  redactUrls(flag) !== flag || /^--?[^=]*(?:password|token|secret)(?![^=]*file)[^=]*=./i.test(flag);
