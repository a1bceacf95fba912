import type { KeyPath, Problem } from '../../diagnostic.ts';
import { defaultImages } from '../../values/default-images.ts';
import { quoted } from '../../values/words.ts';
import { defineExporter } from '../exporter.ts';
import { statusUrl, statusUrlProblems } from '../status-page.ts';

const port = 9117;
const page = { program: 'apache_exporter', example: 'http://apache/server-status?auto' };

export const apache = defineExporter({
  kind: 'apache',
  title: page.program,
  description: 'An Apache HTTP server: requests, workers, traffic',
  defaultImage: defaultImages.apache,
  debian: {
    package: 'prometheus-apache-exporter',
    program: 'usr/bin/prometheus-apache-exporter',
    entrypoint: 'bin/apache_exporter',
  },
  port,
  hasWebConfig: true,
  hasInstances: true,
  keys: { url: statusUrl(page) },
  args: ({ url = '' }) => [`--scrape_uri=${url}`, `--web.listen-address=:${port}`],
  problems: ({ url }, path) => {
    const problems = statusUrlProblems(url, path, page);
    return problems.length > 0 ? problems : withoutAuto(url, path);
  },
});

/** Without ?auto the server sends a page for people. */
function withoutAuto(url: string | undefined, path: KeyPath): readonly Problem[] {
  if (url === undefined || /[?&]auto(?:$|[&=])/.test(url)) return [];
  return [
    {
      code: 'wrong-target',
      path: [...path, 'url'],
      message: 'the URL lacks "?auto", so the server sends a page that apache_exporter cannot read',
      hint: `did you mean ${quoted(`${url.replace(/[?&]$/, '')}${url.includes('?') ? '&' : '?'}auto`)}?`,
    },
  ];
}
