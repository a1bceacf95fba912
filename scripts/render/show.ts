import type { RenderedFile } from '../../stack/model.ts';
import { Secret } from '../../stack/secret.ts';

/** The text of a file as the server will read it. */
export function revealed(file: RenderedFile): string {
  return file.content instanceof Secret ? file.content.reveal() : file.content;
}

/** The text of a file fit to be seen, with `[secret]` in the place of each secret. */
export function shown(file: RenderedFile): string {
  return file.content instanceof Secret ? (file.masked ?? `${file.content}\n`) : file.content;
}

/** The path a person knows a rendered file by: `prometheus/prometheus.yml`. */
export function nameOf(file: RenderedFile): string {
  return `${file.service}/${file.path}`;
}
