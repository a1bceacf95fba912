import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { RenderedFile } from '../../stack/model.ts';
import { nameOf, shown } from '../render/show.ts';
import { StackError } from '../util/stack-error.ts';

/** A rendered file as it may leave promstack: what is secret says only that it is. */
export interface ShownFile {
  /** `<service>/<path in its config directory>`. */
  readonly name: string;
  readonly service: string;
  readonly path: string;
  readonly mode: number;
  readonly content: string;
}

/** Rendered files with their secrets masked. */
export function toShown(files: readonly RenderedFile[]): readonly ShownFile[] {
  return files.map((file) => ({
    name: nameOf(file),
    service: file.service,
    path: file.path,
    mode: file.mode,
    content: shown(file),
  }));
}

/** Writes the files below a folder, one folder a service; files that are there already are written over. */
export async function writeShown(folder: string, files: readonly ShownFile[]): Promise<void> {
  for (const file of files) {
    const path = join(folder, file.name);
    try {
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, file.content);
      // Rendered files are read-only for the servers; a person who asked for a copy may want to write over it again.
      await chmod(path, file.mode | 0o600);
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new StackError({ doing: `writing ${path}`, why, tryThis: '--out with a folder you may write to', cause });
    }
  }
}
