import type { RenderedFile } from '../../stack/model.ts';
import { Secret } from '../../stack/secret.ts';
import { type MaskedText, maskSecrets } from '../../stack/secrets/mask-secrets.ts';
import { findService, services } from '../../stack/services.ts';
import { toBytes } from '../util/file-bytes.ts';
import { shortHash } from '../util/hash.ts';
import { redact, redactUrls } from '../util/redaction.ts';

/** The text of a file as the server will read it. */
export function revealed(file: RenderedFile): string {
  return file.content instanceof Secret ? file.content.reveal() : file.content;
}

/** The text of a file with `[secret]` in place of each secret. */
export function shown(file: RenderedFile): string {
  return redact(hidden(file).text);
}

/** The text of a file with its secrets masked, and the secrets that were literals in it; `masked` is the text when the whole file is secret. */
export function hidden(file: RenderedFile, masked = file.masked): MaskedText {
  const text = file.content instanceof Secret ? (masked ?? `${file.content}\n`) : printable(file, file.content);
  const secretFiles = findService(file.service)?.secretFiles;
  const known = secretFiles === undefined ? { text, secrets: [] } : maskSecrets(text, secretFiles, serviceNames);
  const inUrls: string[] = [];
  const redacted = redactUrls(known.text, (secret) => inUrls.push(secret));
  return { text: redacted, secrets: [...known.secrets, ...inUrls] };
}

/** The text of a file, or a description of one that is not text. */
function printable({ isBinary }: Pick<RenderedFile, 'isBinary'>, content: string): string {
  return isBinary === true ? `binary file of ${content.length} bytes, hash ${shortHash(content)}\n` : content;
}

/** What `render` writes: the bytes of a file that is not text, else its text with secrets masked. */
export function shownBytes(file: RenderedFile): Buffer {
  return file.isBinary === true && !(file.content instanceof Secret) ? toBytes(file) : Buffer.from(shown(file));
}

const serviceNames = services.map(({ name }) => name);

/** The name of a rendered file in messages: `prometheus/prometheus.yml`. */
export function nameOf(file: RenderedFile): string {
  return `${file.service}/${file.path}`;
}

/** A rendered file with its secrets masked, safe to print. */
export interface ShownFile {
  /** `<service>/<path in its config directory>`. */
  readonly name: string;
  readonly service: string;
  readonly path: string;
  readonly mode: number;
  readonly content: string;
}

/** Masks the secrets of rendered files. */
export function toShown(files: readonly RenderedFile[]): readonly ShownFile[] {
  return files.map((file) => ({
    name: nameOf(file),
    service: file.service,
    path: file.path,
    mode: file.mode,
    content: shown(file),
  }));
}
