import type { KeyPath, Problem } from '../diagnostic.ts';
import { closest } from '../values/closest.ts';
import { quoted } from '../values/words.ts';
import { isOfficialImage } from './image-contents.ts';

/** Former ids that plugins of Grafana 12.4 keep (`aliasIDs` in plugin.json): Grafana's API answers with the present one. */
const aliases: Readonly<Record<string, string>> = {
  postgres: 'grafana-postgresql-datasource',
  testdata: 'grafana-testdata-datasource',
  phlare: 'grafana-pyroscope-datasource',
};

/** The datasource plugins in the image of Grafana 12.4 (public/app/plugins/datasource). */
const bundledTypes: readonly string[] = `
  alertmanager cloudwatch elasticsearch grafana-azure-monitor-datasource grafana-postgresql-datasource
  grafana-pyroscope-datasource grafana-testdata-datasource graphite influxdb jaeger loki mssql mysql opentsdb parca
  prometheus stackdriver tempo zipkin
`
  .trim()
  .split(/\s+/);

/** The id of the plugin that a type or an alias of it names. */
export function pluginOf(type: string): string {
  return aliases[type] ?? type;
}

/** A warning about a type that the image has no plugin for. An image of the user's may have more than Grafana's own. */
export function typeProblems(type: string, path: KeyPath, image: string): readonly Problem[] {
  const known = [...bundledTypes, ...Object.keys(aliases)];
  if (known.includes(type)) return [];
  const near = closest(type, known);
  if (near === undefined && !isOfficialImage(image)) return [];
  return [
    {
      severity: 'warning',
      code: 'unknown-type',
      path: [...path, 'type'],
      message: `the image ${image} has no datasource plugin ${quoted(type)}`,
      hint:
        near === undefined ? 'use an image with the plugin: promstack installs none' : `did you mean ${quoted(near)}?`,
    },
  ];
}
