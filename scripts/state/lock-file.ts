import { rename, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { stringify } from 'yaml';
import * as z from 'zod';
import type { Diagnostic, KeyPath } from '../../stack/diagnostic.ts';
import type { StackOrigin } from '../config/loaded.ts';
import { readYaml } from '../config/yaml-source.ts';
import type { Pin, Pins } from '../engine/images/pins.ts';
import { displayPath } from '../util/display-path.ts';
import { notFound, readText } from '../util/read-text.ts';
import { InputError, StackError } from '../util/stack-error.ts';
import { filePaths } from './origin.ts';

/** The version of the format of stack.lock. */
const format = 1;

const sha256 = z.string().regex(/^sha256:[0-9a-f]{64}$/, { error: 'expected sha256: and 64 hexadecimal digits' });

const schema = z.strictObject({
  version: z.literal(format, { error: `expected ${format}, the format that this promstack reads` }),
  images: z.record(
    z.string(),
    z.strictObject({
      image: z.string().min(1),
      digest: sha256.optional(),
      packages: z.string().min(1).optional(),
      id: z.string().min(1),
    }),
  ),
});

const comment = `# The images that \`promstack up --locked\` takes, and no others. \`promstack images lock\` writes this file, and \`promstack
# upgrade\` when it exists. A digest is of a registry; images that promstack built have the versions of their packages.
`;

/** Beside the first stack file, with its name: \`stack.lock\` for \`stack.yml\`. */
export function lockFilePath(origin: StackOrigin): string {
  const [first = ''] = filePaths(origin);
  return join(dirname(first), `${basename(first).replace(/\.ya?ml$/, '')}.lock`);
}

/** The pins of a file; undefined when it does not exist. Throws an InputError for one that is not valid. */
export async function readLockFile(path: string, cwd: string): Promise<Pins | undefined> {
  const text = await readText(path);
  if (typeof text !== 'string') {
    if (text.because === notFound) return undefined;
    throw new StackError({ doing: `reading ${displayPath(path, cwd)}`, why: `it ${text.because}`, tryThis: text.hint });
  }
  const hint = '`promstack images lock` writes it again';
  const source = readYaml(text, displayPath(path, cwd));
  if (!source.isWhole) throw new InputError(source.diagnostics);
  const plain: unknown = JSON.parse(JSON.stringify(source.value ?? null));
  const parsed = schema.safeParse(plain);
  if (parsed.success) return new Map(Object.entries(parsed.data.images));
  throw new InputError(
    parsed.error.issues.map(({ message, path: at }): Diagnostic => {
      return source.toDiagnostic({ code: 'lock-file', path: at as KeyPath, message, hint });
    }),
  );
}

/** Replaces the file as a whole. */
export async function writeLockFile(path: string, pins: Pins): Promise<void> {
  const images = Object.fromEntries([...pins].sort(([a], [b]) => (a < b ? -1 : 1)));
  const temporary = `${path}.${process.pid}.part`;
  await writeFile(temporary, comment + stringify({ version: format, images }, { lineWidth: 0 }));
  await rename(temporary, path);
}

/** The images whose pins differ between two files, by name. */
export function changedPins(before: Pins | undefined, after: Pins): readonly string[] {
  const textOf = (pin: Pin | undefined): string => JSON.stringify(pin && [pin.image, pin.digest, pin.packages, pin.id]);
  const all = new Set([...(before?.keys() ?? []), ...after.keys()]);
  return [...all].filter((name) => textOf(before?.get(name)) !== textOf(after.get(name)));
}
