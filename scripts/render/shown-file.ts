import type { RenderedFile } from '../../stack/model.ts';
import { nameOf, shown } from './show.ts';

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
