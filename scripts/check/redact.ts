import type { RenderedFile } from '../../stack/model.ts';
import { Secret } from '../../stack/secret.ts';

/** Go's YAML package shows the first letters of a value it cannot use. */
const shownByGo = 7;

/** A tool's output without the secrets of the files it read. */
export function redact(output: string, files: readonly RenderedFile[]): string {
  const secrets = files.flatMap(secretsOf).map((secret) => secret.reveal());
  return secrets
    .flatMap((text) => [
      text,
      ...text.split('\n'),
      JSON.stringify(text).slice(1, -1),
      encodeURIComponent(text),
      `${text.slice(0, shownByGo)}...`,
    ])
    .filter((text) => text.trim() !== '')
    .sort((one, other) => other.length - one.length)
    .reduce((told, text) => told.replaceAll(text, '[secret]'), output);
}

/** A file that is a secret as a whole may not say so. */
function secretsOf({ content, secrets }: RenderedFile): readonly Secret[] {
  return secrets ?? (content instanceof Secret ? [content] : []);
}
