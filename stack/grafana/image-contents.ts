/** The version in the tag of Grafana's image; undefined when the tag has none. */
function grafanaVersion(image: string): { readonly major: number; readonly minor: number } | undefined {
  const [, major, minor] = /:v?(\d+)\.(\d+)(?:[.-]|@|$)/.exec(image) ?? [];
  return major === undefined ? undefined : { major: Number(major), minor: Number(minor) };
}

/** Whether the image is Grafana's own, of which the contents are known; others may have more plugins. */
export function isOfficialImage(image: string): boolean {
  return /(?:^|\/)grafana\/grafana(?:-oss|-enterprise)?(?:[:@]|$)/.test(image);
}

const words = (text: string): readonly string[] => text.trim().split(/\s+/);

/** The panels in the image of 12.4 (public/app/plugins/panel), and those that a dashboard may have beside plugins. */
export const panelTypes: readonly string[] = words(`
  alertlist annolist barchart bargauge candlestick canvas dashlist datagrid debug flamegraph gauge geomap gettingstarted
  heatmap histogram live logs logstable news nodeGraph piechart stat state-timeline status-history table text timeseries
  traces trend welcome xychart row library-panel-ref
`);

/** The panels that 12.4 shows as others (autoMigrateAngular in public/app/features/dashboard/state/PanelModel.ts). */
export const formerPanels: Readonly<Record<string, string>> = {
  graph: 'timeseries',
  graphite: 'timeseries',
  singlestat: 'stat',
  'grafana-singlestat-panel': 'stat',
  'table-old': 'table',
  'grafana-piechart-panel': 'piechart',
  'grafana-worldmap-panel': 'geomap',
  'natel-discrete-panel': 'state-timeline',
};

const schemaV2 = ['v2alpha1', 'v2beta1'];

/** The versions of schema v2 that the image knows; undefined when that is not known. */
export function knownSchemaV2(image: string): readonly string[] | undefined {
  const version = grafanaVersion(image);
  if (version === undefined || version.major > 13) return undefined;
  if (version.major < 12) return [];
  return version.major === 12 ? schemaV2 : [...schemaV2, 'v2'];
}
