import type { RenderedFile } from '../../stack/model.ts';
import { Secret } from '../../stack/secret.ts';
import type { Rendering } from './rendering.ts';

/** The text of a file as the server will read it. */
export function revealed(file: RenderedFile): string {
  return file.content instanceof Secret ? file.content.reveal() : file.content;
}

/** The text of a file fit to be seen, with `[secret]` in the place of each secret. */
export function shown(file: RenderedFile): string {
  return file.content instanceof Secret ? (file.masked ?? `${file.content}\n`) : file.content;
}

/** The files of a rendering, of one service only when it is named, with the paths a person knows them by: `prometheus/prometheus.yml`. */
export function namedFiles(rendering: Rendering, service?: string): readonly { name: string; file: RenderedFile }[] {
  return rendering.services
    .filter((one) => service === undefined || one.service.name === service)
    .flatMap((one) => one.files.map((file) => ({ name: `${one.service.name}/${file.path}`, file })));
}

/** All files one after the other, each below a line with its name; secrets masked. */
export function printRendering(rendering: Rendering, service?: string): string {
  return namedFiles(rendering, service)
    .map(({ name, file }) => `# ${name}\n${withLastLineBreak(shown(file))}`)
    .join('\n');
}

function withLastLineBreak(text: string): string {
  return text === '' || text.endsWith('\n') ? text : `${text}\n`;
}
