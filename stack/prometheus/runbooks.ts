/**
 * promstack's own rule file, or the unit tests of one, whose alerts all have the annotation `runbook_url`: the base, and the anchor
 * of a heading in docs/runbooks.md.
 */
export function withRunbookUrls(text: string, base: string): string {
  let alert = '';
  return text
    .split('\n')
    .flatMap((line) => {
      const [, name] = /^\s*(?:- alert|alertname): (\w+)$/.exec(line) ?? [];
      alert = name ?? alert;
      const [, indent] = /^(\s*)(?:exp_)?annotations:(?: &\w+)?$/.exec(line) ?? [];
      if (indent === undefined) return [line];
      return [line, `${indent}  runbook_url: ${JSON.stringify(`${base}${alert.toLowerCase()}`)}`];
    })
    .join('\n');
}
