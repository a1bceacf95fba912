/** Former ids that plugins of Grafana 12.4 keep (`aliasIDs` in plugin.json): Grafana's API answers with the present one. */
const aliases: Readonly<Record<string, string>> = {
  postgres: 'grafana-postgresql-datasource',
  testdata: 'grafana-testdata-datasource',
  phlare: 'grafana-pyroscope-datasource',
};

/** The id of the plugin that a type or an alias of it names. */
export function pluginOf(type: string): string {
  return aliases[type] ?? type;
}
