/** Puts a text between `<!-- name:begin … -->` and `<!-- name:end -->`; throws when the markers are not there. */
export function between(document: string, name: string, text: string): string {
  const begin = new RegExp(`<!-- ${name}:begin[^>]*-->\n`).exec(document);
  const end = document.indexOf(`<!-- ${name}:end -->`);
  if (begin === null || end < begin.index) throw new Error(`the markers ${name}:begin and ${name}:end are not there`);
  return `${document.slice(0, begin.index + begin[0].length)}\n${text}\n\n${document.slice(end)}`;
}
