import type { RenderedFile } from '../../stack/model.ts';
import { Secret } from '../../stack/secret.ts';
import { type MaskedText, maskSecrets } from '../../stack/secrets/mask-secrets.ts';
import { findService, services } from '../../stack/services.ts';

/** The text of a file as the server will read it. */
export function revealed(file: RenderedFile): string {
  return file.content instanceof Secret ? file.content.reveal() : file.content;
}

/** The text of a file fit to be seen, with `[secret]` in the place of each secret, one that stands in it as it is too. */
export function shown(file: RenderedFile): string {
  return hidden(file).text;
}

/** The same, with the secrets that stand in it as they are; `masked` shows the others. */
export function hidden(file: RenderedFile, masked = file.masked): MaskedText {
  const text = file.content instanceof Secret ? (masked ?? `${file.content}\n`) : file.content;
  const secretFiles = findService(file.service)?.secretFiles;
  return secretFiles === undefined ? { text, secrets: [] } : maskSecrets(text, secretFiles, serviceNames);
}

const serviceNames = services.map(({ name }) => name);

/** The path a person knows a rendered file by: `prometheus/prometheus.yml`. */
export function nameOf(file: RenderedFile): string {
  return `${file.service}/${file.path}`;
}

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
