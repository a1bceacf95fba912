import * as z from 'zod';
import type { KeyPath, Problem } from '../diagnostic.ts';
import { isHttpUrl } from '../values/addresses.ts';
import { loginIn } from '../values/logins.ts';
import { quoted } from '../values/words.ts';

/** A server that an exporter reads by a page of its own: the program and the URL that it usually has. */
interface StatusPage {
  readonly program: string;
  readonly example: string;
}

export const statusUrl = ({ example }: StatusPage) =>
  z
    .string()
    .optional()
    .meta({ description: `The status page of the server, as ${example}` });

/** A URL of a status page that is absent or cannot be read. */
export function statusUrlProblems(url: string | undefined, path: KeyPath, page: StatusPage): readonly Problem[] {
  const { program, example } = page;
  if (url === undefined) {
    const message = `${program} needs the key "url": the status page of the server`;
    return [{ code: 'missing-key', path, atKey: true, message, hint: `write "url: ${example}"` }];
  }
  const at = [...path, 'url'];
  if (loginIn(url) !== undefined) {
    const message = 'the URL has a login, which "docker inspect" would show';
    const hint = 'remove it, and let the server answer the network of the stack at this page without one';
    return [{ code: 'password-in-target', path: at, message, hint }];
  }
  if (isHttpUrl(url) && !/\s/.test(url)) return [];
  const message = `${quoted(url)} is not the URL of a page`;
  return [{ code: 'wrong-target', path: at, message, hint: `write it as ${example}` }];
}
