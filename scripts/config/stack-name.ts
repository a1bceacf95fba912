import { basename } from 'node:path';
import { stackNameProblems } from '../../stack/problems.ts';

/**
 * The name of a stack after its folder, as compose derives it: lower case, without other characters than letters, digits,
 * - and _, beginning with a letter or digit. A reserved name gets a suffix, and a folder without such characters the name
 * promstack.
 */
export function nameOfFolder(folder: string): string {
  const name = basename(folder)
    .toLowerCase()
    .replaceAll(/[^a-z0-9_-]+/g, '')
    .replace(/^[-_]+/, '')
    .slice(0, 41);
  if (name === '') return 'promstack';
  return stackNameProblems(name, []).length === 0 ? name : `${name}-stack`;
}
