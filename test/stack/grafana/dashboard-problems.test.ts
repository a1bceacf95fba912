import { describe, expect, test } from 'vitest';
import { shortHash } from '../../../scripts/util/hash.ts';
import { stackSchema } from '../../../stack/config.ts';
import { dashboardProblems } from '../../../stack/grafana/dashboard-problems.ts';
import { dashboardFiles, markDashboards, sharedNames } from '../../../stack/grafana/dashboards.ts';
import type { RenderedFile } from '../../../stack/model.ts';

const datasources = [
  { name: 'Prometheus', uid: 'prometheus', type: 'prometheus', isDefault: true },
  { name: 'Logs', uid: 'loki', type: 'loki', isDefault: false },
];
const image = 'grafana/grafana:12.4.0';

/** The problems of a dashboard: `severity path: message`. */
const problems = (content: object, inImage = image): readonly string[] =>
  dashboardProblems(content, datasources, inImage).map(
    ({ severity = 'error', path, message }) => `${severity} ${path.join('.')}: ${message}`,
  );
const classic = (keys: object): object => ({ title: 'Disks', uid: 'disks', ...keys });
const resource = (version: string, spec: object = {}): object => ({
  apiVersion: `dashboard.grafana.app/${version}`,
  kind: 'Dashboard',
  metadata: { name: 'disks' },
  spec: { title: 'Disks', ...spec },
});
const panelOf = (query: object, type: object = { kind: 'VizConfig', group: 'stat' }): object => ({
  elements: {
    'panel-1': {
      kind: 'Panel',
      spec: { data: { kind: 'QueryGroup', spec: { queries: [{ kind: 'PanelQuery', spec: query }] } }, vizConfig: type },
    },
  },
});

describe('a dashboard from an earlier Grafana', () => {
  test.each<[string, object, string]>([
    ['graph', { panels: [{ type: 'graph' }] }, 'graph panels as timeseries'],
    [
      'several, each once',
      { panels: [{ type: 'graph' }, { type: 'singlestat' }, { type: 'graph' }] },
      'graph panels as timeseries, singlestat panels as stat',
    ],
    ['a closed row', { panels: [{ type: 'row', panels: [{ type: 'table-old' }] }] }, 'table-old panels as table'],
    [
      'plugins of former times',
      {
        panels: [
          { type: 'grafana-piechart-panel' },
          { type: 'grafana-worldmap-panel' },
          { type: 'natel-discrete-panel' },
        ],
      },
      'grafana-piechart-panel panels as piechart, grafana-worldmap-panel panels as geomap, natel-discrete-panel panels as state-timeline',
    ],
    ['rows', { rows: [{ panels: [{ type: 'text' }] }] }, 'its rows in the grid'],
    [
      'rows with old panels',
      { schemaVersion: 12, rows: [{ panels: [{ type: 'graph' }] }] },
      'graph panels as timeseries, its rows in the grid',
    ],
  ])('must be taken, with one note: %s', (_name, keys, shown) => {
    const found = problems(classic(keys));
    expect(found).toEqual([
      expect.stringMatching(/^note [\w.]+: Grafana shows .*: the dashboard is from an earlier version$/),
    ]);
    expect(found[0]).toContain(`Grafana shows ${shown}: `);
  });

  test('must have the datasources in its rows checked', () => {
    const rows = [{ panels: [{ type: 'text', targets: [{ datasource: 'Nowhere' }] }] }];
    expect(problems(classic({ rows }))).toContain(
      'error rows.0.panels.0.targets.0.datasource: the stack has no datasource with the name "Nowhere"',
    );
  });
});

describe('a panel type', () => {
  test.each(['timeserie', 'volkovlabs-echarts-panel'])('that the image lacks must be a warning: %s', (type) => {
    const panels = [{ type: 'stat' }, { type }];
    const words = `grafana/grafana:12.4.0 has no plugin for panels of type "${type}": Grafana shows an error in its place`;
    expect(problems(classic({ panels }))).toEqual([`warning panels.1.type: ${words}`]);
    expect(problems(resource('v2beta1', panelOf({}, { kind: 'VizConfig', group: type })))).toEqual([
      `warning spec.elements.panel-1.spec.vizConfig.group: ${words}`,
    ]);
    expect(problems(resource('v2alpha1', panelOf({}, { kind: type })))).toEqual([
      `warning spec.elements.panel-1.spec.vizConfig.kind: ${words}`,
    ]);
  });

  test('of an image that may have any plugin must be accepted', () => {
    expect(problems(classic({ panels: [{ type: 'volkovlabs-echarts-panel' }] }), 'example.com/grafana:12.4.0')).toEqual(
      [],
    );
  });
});

test('a panel that is a library panel must be a warning', () => {
  const libraryPanel = { uid: 'abc', name: 'Traffic' };
  const words = 'the panel is the library panel "Traffic", which is in Grafana\'s database and not in the stack';
  expect(problems(classic({ panels: [{ id: 1, libraryPanel }] }))).toEqual([`warning panels.0.libraryPanel: ${words}`]);
  const elements = { a: { kind: 'LibraryPanel', spec: { id: 1, title: 'T', libraryPanel } } };
  expect(problems(resource('v2beta1', { elements }))).toEqual([`warning spec.elements.a.spec.libraryPanel: ${words}`]);
});

describe('the version of a resource', () => {
  const accepted: Readonly<Record<string, readonly string[]>> = {
    'grafana/grafana:12.4.0': ['v0alpha1', 'v1', 'v1beta1', 'v2alpha1', 'v2beta1'],
    'registry.example.com/mirror/grafana/grafana:12.4': ['v1beta1', 'v2beta1'],
    'grafana/grafana:13.0.1': ['v1', 'v2beta1', 'v2'],
    'grafana/grafana:latest': ['v1', 'v2beta1', 'v2', 'v3'],
    'grafana/grafana@sha256:0000': ['v2'],
    'grafana/grafana:11.6.0': ['v1beta1'],
  };
  test.each(Object.entries(accepted))('must be accepted when the image knows it: %s', (named, versions) => {
    for (const version of versions) expect(problems(resource(version), named), version).toEqual([]);
  });

  test.each([
    ['grafana/grafana:12.4.0', 'v2'],
    ['grafana/grafana:12.4.3-ubuntu', 'v2gamma1'],
    ['grafana/grafana:v12.4.0', 'v2'],
    ['grafana/grafana:13.0.0', 'v2gamma1'],
    ['grafana/grafana:11.6.0', 'v2beta1'],
  ])('must be rejected when the image does not know it: %s and %s', (named, version) => {
    expect(problems(resource(version), named)).toEqual([
      `error apiVersion: ${named} does not know "dashboard.grafana.app/${version}"`,
    ]);
  });

  test('of something else must be rejected', () => {
    expect(problems({ apiVersion: 'apps/v1', metadata: { name: 'x' }, spec: { title: 'T' } })).toEqual([
      'error apiVersion: "apps/v1" is not the version of a dashboard',
    ]);
  });
});

describe('a datasource in schema v2', () => {
  const query = (datasource: object): object => ({ query: { kind: 'DataQuery', group: 'prometheus', datasource } });
  const known = [
    { name: 'prometheus' },
    { uid: 'loki' },
    { name: '-- Grafana --' },
    { name: `\${ds}` },
    { uid: '$ds' },
  ];
  const variables = [{ kind: 'DatasourceVariable', spec: { name: 'ds', pluginId: 'prometheus' } }];

  test.each(known)('must be accepted when the stack has it: %j', (datasource) => {
    expect(problems(resource('v2beta1', { variables, ...panelOf(query(datasource)) }))).toEqual([]);
  });

  test.each<[string, object]>([
    ['elements.panel-1.spec.data.spec.queries.0.spec.query.datasource.name', panelOf(query({ name: 'nowhere' }))],
    ['elements.panel-1.spec.data.spec.queries.0.spec.datasource.uid', panelOf({ datasource: { uid: 'nowhere' } })],
    [
      'variables.0.spec.query.datasource.name',
      { variables: [{ kind: 'QueryVariable', spec: query({ name: 'nowhere' }) }] },
    ],
    [
      'annotations.0.spec.query.datasource.name',
      { annotations: [{ kind: 'AnnotationQuery', spec: query({ name: 'nowhere' }) }] },
    ],
  ])('that the stack does not have must be rejected: %s', (path, spec) => {
    expect(problems(resource('v2beta1', spec))).toEqual([
      `error spec.${path}: the stack has no datasource with the uid "nowhere"`,
    ]);
  });
});

test('a datasource that the stack does not have must be one problem, at the first of its references', () => {
  const target = (datasource: unknown) => ({ type: 'stat', targets: [{ datasource }], datasource });
  const panels = [{ uid: 'gone' }, 'gone', { uid: 'lost' }, { uid: 'gone' }, { uid: '[[DS_LOST]]' }].map(target);
  expect(problems(classic({ panels }))).toEqual([
    'error panels.0.datasource.uid: the stack has no datasource with the uid "gone" (4 references)',
    'error panels.1.datasource: the stack has no datasource with the name "gone" (2 references)',
    'error panels.2.datasource.uid: the stack has no datasource with the uid "lost" (2 references)',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the syntax of Grafana.
    'error panels.4.datasource.uid: ${DS_LOST} is neither a variable nor an input of the dashboard (2 references)',
  ]);
});

describe('an input of an export', () => {
  test.each(['DS_PROMETHEUS', 'DS_PROM-MAIN', 'DS_my.prom', 'DS_PROM MAIN'])('must be filled in: %s', (name) => {
    const content = classic({
      __inputs: [{ name, type: 'datasource', pluginId: 'prometheus' }],
      panels: [{ type: 'stat', datasource: `\${${name}}`, targets: [{ datasource: { uid: `\${${name}}` } }] }],
    });
    expect(problems(content)).toEqual([]);
    const [marked] = markDashboards([file('a.json', content)], stackSchema.parse({ name: 'demo' }), shortHash);
    const { panels } = JSON.parse(String(marked?.content));
    expect(panels).toEqual([
      { type: 'stat', datasource: 'prometheus', targets: [{ datasource: { uid: 'prometheus' } }] },
    ]);
  });
});

describe('a dashboard without a uid', () => {
  const uids = (path: string, content: object): readonly unknown[] => {
    const written = file(path, content);
    const [marked] = markDashboards([written], stackSchema.parse({ name: 'demo' }), shortHash);
    const read = JSON.parse(String(marked?.content));
    return [
      read.uid ?? read.metadata.name,
      ...sharedNames([written]).map(({ severity, message }) => `${severity}: ${message}`),
    ];
  };

  test.each([
    ['disks.json', { title: 'A' }, /^disks$/],
    ['hosts/disks.json', { title: 'A', uid: null }, /^hosts-disks-\w+$/],
    ['Über uns.json', { title: 'A', uid: '' }, /^[\w-]{1,40}$/],
    [`${'long/'.repeat(20)}a.json`, { title: 'A' }, /^[\w-]{1,40}$/],
    ['second.json', { ...resource('v2beta1'), metadata: {} }, /^second$/],
  ])('must get one from its path, with a warning: %s', (path, content, form) => {
    const [uid, ...warnings] = uids(path, content);
    expect(uid).toMatch(form);
    expect(warnings).toEqual([`warning: the dashboard has no uid: it gets "${uid}", from the path of its file`]);
    expect(uids(path, content)[0]).toBe(uid);
  });

  test('must not get the one of another path', () => {
    const paths = [
      'a b.json',
      'a-b.json',
      'a/b.json',
      'A b.json',
      '概要.json',
      '詳細.json',
      `${'x'.repeat(50)}1.json`,
      `${'x'.repeat(50)}2.json`,
    ];
    expect(new Set(paths.map((path) => uids(path, { title: path })[0])).size).toBe(paths.length);
  });

  test('must be rejected when another dashboard has the uid it gets', () => {
    const files = [file('a.json', { title: 'A' }), file('b.json', { title: 'B', uid: 'a' })];
    expect(sharedNames(files).map(({ code }) => code)).toEqual(['missing-key', 'uid-twice']);
  });
});

test.each([
  ['boards/ hosts /a.json', 'hosts/a.json'],
  ['boards/a /b/c.json', 'a - b/c.json'],
  ['boards/ /a.json', 'a.json'],
])('a folder must have no whitespace at its ends: %s', (path, target) => {
  const [files] = dashboardFiles(stackSchema.parse({ name: 'demo', grafana: { dashboards: ['boards'] } }));
  expect(files?.targetPath?.(path)).toBe(target);
});

function file(path: string, content: object): RenderedFile {
  return {
    service: 'grafana',
    path: `dashboards/${path}`,
    content: JSON.stringify(content),
    mode: 0o444,
    origin: path,
  };
}
