import { defaultImages } from '../../values/default-images.ts';
import { defineExporter } from '../exporter.ts';
import { statusUrl, statusUrlProblems } from '../status-page.ts';

const port = 9113;
const page = { program: 'nginx-prometheus-exporter', example: 'http://nginx:8080/stub_status' };

export const nginx = defineExporter({
  kind: 'nginx',
  title: page.program,
  description: 'An nginx server: connections and requests',
  defaultImage: defaultImages.nginx,
  debian: {
    package: 'prometheus-nginx-exporter',
    program: 'usr/bin/prometheus-nginx-exporter',
    entrypoint: 'usr/bin/nginx-prometheus-exporter',
  },
  port,
  hasWebConfig: true,
  hasInstances: true,
  keys: { url: statusUrl(page) },
  args: ({ url = '' }) => [`--nginx.scrape-uri=${url}`, `--web.listen-address=:${port}`],
  problems: ({ url }, path) => statusUrlProblems(url, path, page),
});
