import type { KeyPath, Problem } from '../diagnostic.ts';
import { configMount } from '../values/container.ts';
import { quoted } from '../values/words.ts';
import { type SecretFiles, secretKeyOf } from './secret-files.ts';

/** Folders of a container in which files may be that promstack did not bring. */
const ofContainer = [`${configMount}/`, '/etc/ssl/', '/usr/', '/proc/', '/run/'];

/**
 * Files of secrets that the person names themselves, as for a program that runs on the host: in its container they are not
 * there, which some programs notice no sooner than they need the secret.
 */
export function foreignFiles(value: unknown, path: KeyPath, title: string, files: SecretFiles): readonly Problem[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]): readonly Problem[] => {
    const here = [...path, Array.isArray(value) ? Number(key) : key];
    if (typeof inner === 'object') return foreignFiles(inner, here, title, files);
    if (typeof inner !== 'string' || !key.endsWith('_file')) return [];
    if (ofContainer.some((folder) => inner.startsWith(folder))) return [];
    const secretKey = secretKeyOf(
      here.filter((step) => typeof step === 'string'),
      files,
    );
    if (secretKey === undefined) return [];
    return [
      {
        code: 'file-of-host',
        path: here,
        severity: 'warning',
        message: `${title} runs in a container, where the file ${quoted(inner)} is not`,
        hint: `write "${secretKey}: !file ${inner}": promstack brings the file along`,
      },
    ];
  });
}
