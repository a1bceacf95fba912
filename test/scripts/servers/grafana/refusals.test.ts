import { describe, expect, test } from 'vitest';
import { type Folder, tryGrafana } from '../../../support/grafana-release.ts';

/** An invalid input and its complete message: `file:line:column message`, and the hint below. */
interface Case {
  readonly name: string;
  readonly folder: Folder;
  readonly expected: readonly string[];
}

const grafana = (...lines: readonly string[]): Folder => ({ 'stack.yml': ['grafana:', ...lines, ''].join('\n') });
const datasource = (...lines: readonly string[]): Folder =>
  grafana('  datasources:', '    - name: Loki', '      type: loki', ...lines);
const prometheus = (...lines: readonly string[]): Folder =>
  grafana('  datasources:', '    - name: Other', '      type: prometheus', '      jsonData:', ...lines);
const dashboard = (content: object, file = 'disks.json'): Folder => ({
  'stack.yml': 'grafana:\n  dashboards: [dashboards]\n',
  [`dashboards/${file}`]: content,
});
/** A provisioning file of the user's own with one item. */
const provisioned = (folder: string, list: string, item: string): Folder => ({
  'stack.yml': '{}',
  [`templates/grafana/provisioning/${folder}/mine.yml`]: `apiVersion: 1\n${list}:\n  - ${item}\n`,
});
const panel = (...panels: readonly object[]) => ({ title: 'Disks', uid: 'disks', panels });

const cases: readonly Case[] = [
  {
    name: 'a key Grafana would ignore',
    folder: datasource('      isDefualt: true'),
    expected: ['stack.yml:5:7 unknown key "isDefualt" in grafana.datasources[0]', 'did you mean "isDefault"?'],
  },
  {
    name: 'the value of a header outside of the secrets',
    folder: datasource('      httpHeaderValue2: x'),
    expected: [
      'stack.yml:5:7 unknown key "httpHeaderValue2" in grafana.datasources[0]',
      'put it under "secureJsonData"',
    ],
  },
  {
    name: 'the name of a header outside of jsonData',
    folder: datasource('      httpHeaderName12: x'),
    expected: ['stack.yml:5:7 unknown key "httpHeaderName12" in grafana.datasources[0]', 'put it under "jsonData"'],
  },
  {
    name: 'a datasource without a type',
    folder: grafana('  datasources:', '    - name: Loki'),
    expected: ['stack.yml:3:7 missing key "type" in grafana.datasources[0]', ''],
  },
  {
    name: 'a uid with a space',
    folder: datasource('      uid: my loki'),
    expected: ['stack.yml:5:12 expected a uid of at most 40 letters, digits, - and _, got the string "my loki"', ''],
  },
  {
    name: 'a uid that is too long',
    folder: datasource(`      uid: ${'a'.repeat(41)}`),
    expected: [
      `stack.yml:5:12 expected a uid of at most 40 letters, digits, - and _, got the string "${'a'.repeat(40)}…"`,
      '',
    ],
  },
  {
    name: "the uid of the stack's own datasource",
    folder: datasource('      uid: prometheus'),
    expected: [
      `stack.yml:5:12 the uid "prometheus" is in use by the stack's own datasource Prometheus`,
      'change the uid of this one',
    ],
  },
  {
    name: 'one uid for two datasources',
    folder: datasource('      uid: a', '    - name: Tempo', '      type: tempo', '      uid: a'),
    expected: ['stack.yml:8:12 there are two datasources with the uid "a"', 'change the uid of one of them'],
  },
  {
    name: "the name of the stack's own datasource",
    folder: grafana(
      '  datasources:',
      '    - name: Prometheus',
      '      type: prometheus',
      "      url: 'http://other:9090'",
    ),
    expected: ['stack.yml:3:13 the stack already has a datasource named "Prometheus"', 'rename this one'],
  },
  {
    name: 'two defaults',
    folder: datasource('      isDefault: true', '    - name: Tempo', '      type: tempo', '      isDefault: true'),
    expected: [
      'stack.yml:8:18 an organization can have only one default datasource',
      'remove isDefault from one of them',
    ],
  },
  {
    name: 'a word in the place of a boolean',
    folder: datasource('      isDefault: always'),
    expected: ['stack.yml:5:18 expected true or false, got the string "always"', ''],
  },
  {
    name: 'a dollar that Grafana would take for a variable',
    folder: datasource('      url: http://loki/$tenant'),
    expected: [
      'stack.yml:5:24 Grafana would expand "$tenant" to an environment variable of its container, which does not exist',
      'write $$tenant for the literal text; put a secret under secureJsonData as !env NAME',
    ],
  },
  {
    name: 'a link with a single dollar deep inside jsonData',
    folder: prometheus(
      '        exemplarTraceIdDestinations:',
      '          - name: trace',
      `            url: 'http://t/\${__value.raw}'`,
    ),
    expected: [
      `stack.yml:8:28 Grafana would expand "\${__value.raw}" to an environment variable of its container, which does not exist`,
      `write $\${__value.raw} for the literal text; put a secret under secureJsonData as !env NAME`,
    ],
  },
  {
    name: 'a time interval that is a number',
    folder: prometheus('        timeInterval: 15'),
    expected: ['stack.yml:6:23 expected a duration such as 15s or 5m, got the number 15', 'did you mean 15s?'],
  },
  {
    name: 'a version that is a number',
    folder: prometheus('        prometheusVersion: 3.5'),
    expected: ['stack.yml:6:28 expected a string, got the number 3.5', 'quote it: "3.5"'],
  },
  {
    name: 'a method in small letters',
    folder: prometheus('        httpMethod: post'),
    expected: ['stack.yml:6:21 expected POST or GET, got the string "post"', 'did you mean "POST"?'],
  },
  {
    name: 'a misspelt key of the Prometheus plugin',
    folder: prometheus('        timeIntervall: 15s'),
    expected: ['stack.yml:6:9 unknown key "timeIntervall"', 'did you mean "timeInterval"?'],
  },
  {
    name: 'an Alertmanager that is not there',
    folder: prometheus('        alertmanagerUid: am'),
    expected: ['stack.yml:6:26 no Alertmanager datasource has the uid "am"', 'available: alertmanager'],
  },
  {
    name: 'a secret where everybody can read it',
    folder: datasource('      jsonData:', '        token: !env TOKEN'),
    expected: [
      'stack.yml:6:21 token cannot hold a secret: everyone who can view a dashboard can read jsonData',
      'put it under secureJsonData',
    ],
  },
  {
    name: 'a basic auth without a password',
    folder: datasource('      basicAuth: true', '      basicAuthUser: me'),
    expected: ['stack.yml:3:7 the key "basicAuthPassword" is missing in secureJsonData of Loki', 'basicAuth needs it'],
  },
  {
    name: 'a header without its value',
    folder: datasource('      jsonData:', '        httpHeaderName1: X-Scope-OrgID'),
    expected: [
      'stack.yml:3:7 the key "httpHeaderValue1" is missing in secureJsonData of Loki',
      'httpHeaderName1 needs it',
    ],
  },
  {
    name: 'the password everybody tries first',
    folder: grafana('  admin_password: admin'),
    expected: [
      'stack.yml:2:19 the password admin is the first one everyone tries',
      'choose a longer one, or remove the key: promstack then generates one',
    ],
  },
  {
    name: 'a setting that promstack relies on',
    folder: grafana('  config:', '    auth.basic:', '      enabled: false'),
    expected: [
      'stack.yml:4:7 the setting enabled of [auth.basic] is reserved',
      'promstack uses basic auth to load dashboards and datasources',
    ],
  },
  {
    name: 'a misspelt section of grafana.ini',
    folder: grafana('  config:', '    dashbords:', '      min_refresh_interval: 1s'),
    expected: ['stack.yml:3:5 grafana.ini has no section "dashbords"', 'did you mean "dashboards"?'],
  },
  {
    name: 'half a login for mail',
    folder: grafana('  smtp:', '    host: mail:25', '    from_address: a@example.com', '    user: me'),
    expected: [
      'stack.yml:2:3 the key "password" is missing in grafana.smtp: a login needs both a user and a password',
      'remove both for a mail server without login',
    ],
  },
  {
    name: 'an address without http',
    folder: grafana('  root_url: example.com/grafana'),
    expected: [
      'stack.yml:2:13 expected a URL such as https://example.com/grafana/, got the string "example.com/grafana"',
      '',
    ],
  },
  {
    name: 'a dashboard without a title',
    folder: dashboard({ uid: 'disks', panels: [] }),
    expected: [
      'dashboards/disks.json:1:1 the dashboard has no title',
      'Grafana does not load a dashboard without a title; is this file a dashboard?',
    ],
  },
  {
    name: 'a dashboard with a uid Grafana refuses',
    folder: dashboard({ title: 'Disks', uid: 'my disks', panels: [] }),
    expected: [
      'dashboards/disks.json:3:10 expected a uid of at most 40 letters, digits, - and _, got the string "my disks"',
      'write "uid": "my-disks"',
    ],
  },
  {
    name: 'two dashboards with one uid',
    folder: { ...dashboard(panel()), 'dashboards/more/other.json': { title: 'Other', uid: 'disks', panels: [] } },
    expected: [
      'dashboards/more/other.json:3:10 the dashboard dashboards/disks.json has the same uid "disks"',
      'change one of the uids',
    ],
  },
  {
    name: "the uid of one of promstack's dashboards",
    folder: dashboard({ title: 'Mine', uid: 'promstack-overview', panels: [] }),
    expected: ['pipeline-overview.json has the same uid "promstack-overview"', 'change one of the uids'],
  },
  {
    name: 'two dashboards with one title in one folder',
    folder: { ...dashboard(panel()), 'dashboards/other.json': { title: 'Disks', uid: 'other', panels: [] } },
    expected: [
      'dashboards/other.json:2:12 the dashboard dashboards/disks.json in the same folder has the same title "Disks"',
      'change one of the titles',
    ],
  },
  {
    name: 'a datasource that is not there, in a query',
    folder: dashboard(panel({ type: 'stat', targets: [{ datasource: { uid: 'promethues' } }] })),
    expected: [
      'dashboards/disks.json:10:20 the stack has no datasource with the uid "promethues"',
      'did you mean "prometheus"?',
    ],
  },
  {
    name: 'a name in the place of a uid',
    folder: dashboard(panel({ type: 'stat', datasource: { uid: 'Prometheus' } })),
    expected: [
      'dashboards/disks.json:8:16 the stack has no datasource with the uid "Prometheus"',
      'Prometheus is its name; its uid is "prometheus"',
    ],
  },
  {
    name: 'a variable for a datasource that the dashboard does not have',
    folder: dashboard(panel({ type: 'stat', datasource: { uid: `\${DS_PROM}` } })),
    expected: [
      `dashboards/disks.json:8:16 \${DS_PROM} is neither a variable nor an input of the dashboard`,
      'use the uid of a datasource, such as "prometheus"',
    ],
  },
  {
    name: 'an input for a kind of datasource that the stack does not have',
    folder: dashboard({ ...panel(), __inputs: [{ name: 'DS_LOKI', type: 'datasource', pluginId: 'loki' }] }),
    expected: [
      'dashboards/disks.json:9:19 the dashboard needs a datasource of type "loki", and the stack has none',
      'add one under grafana.datasources',
    ],
  },
  {
    name: 'library panels in an export',
    folder: dashboard({ ...panel(), __elements: { a: { name: 'Shared' } } }),
    expected: [
      'dashboards/disks.json:5:3 the dashboard contains library panels, which cannot be provisioned from a file',
      'unlink them in Grafana before the export, so that they become regular panels',
    ],
  },
  {
    name: 'a name that grafana.ini cannot have',
    folder: { 'stack.yml': "grafana:\n  config:\n    log:\n      'level = debug': true\n" },
    expected: [
      'stack.yml:4:7 "level = debug" is not a valid name in grafana.ini',
      'names consist of letters, digits, dots, - and _',
    ],
  },
  {
    name: "a datasource without a type in a provisioning file of the user's",
    folder: provisioned('datasources', 'datasources', '{name: Mine, uid: mine}'),
    expected: ['mine.yml:3:5 the datasource has no type', 'add one, such as "type: prometheus"'],
  },
  {
    name: "a datasource without a name in a provisioning file of the user's",
    folder: provisioned('datasources', 'datasources', '{type: loki, name: ""}'),
    expected: ['mine.yml:3:5 the datasource has no name', 'add one'],
  },
  {
    name: "a flag of a datasource that is neither true nor false in a provisioning file of the user's",
    folder: provisioned('datasources', 'datasources', '{name: Mine, type: loki, isDefault: maybe}'),
    expected: ['mine.yml:3:41 expected true or false', 'Grafana loads no datasource at all while one is invalid'],
  },
  {
    name: "a list in place of a string in a provisioning file of the user's",
    folder: provisioned('datasources', 'datasources', '{name: Mine, type: loki, url: [a]}'),
    expected: ['mine.yml:3:35 expected a string', 'Grafana loads no datasource at all while one is invalid'],
  },
  {
    name: 'a provider of dashboards that Grafana does not have',
    folder: provisioned('dashboards', 'providers', '{name: mine, type: git, options: {path: /x}}'),
    expected: [
      'mine.yml:3:24 Grafana has no provider of dashboards of the type "git"',
      'write "type: file", or remove it',
    ],
  },
  {
    name: 'a provider of dashboards without a path',
    folder: provisioned('dashboards', 'providers', '{name: mine}'),
    expected: [
      'mine.yml:3:5 the provider of dashboards has no options.path',
      'add "options: {path: /etc/promstack/FOLDER}"',
    ],
  },
  {
    name: 'a file that is no dashboard',
    folder: dashboard([1, 2]),
    expected: [
      'dashboards/disks.json:1:1 expected a dashboard, got a list',
      "use the file that Grafana's Export writes",
    ],
  },
  {
    name: 'a folder without dashboards',
    folder: { 'stack.yml': 'grafana:\n  dashboards: [dashboards]\n' },
    expected: ['stack.yml:2:16 no file matches dashboards/**/*.json', 'paths are relative to the folder of stack.yml'],
  },
];

describe('an invalid input must be rejected at its location, with what to do:', () => {
  test.each(cases)('$name', async ({ folder, expected: [message = '', hint = ''] }) => {
    const result = await tryGrafana(folder, { TOKEN: 'secret' });
    if (!('diagnostics' in result)) throw new Error('it was not refused');
    const errors = result.diagnostics.filter(({ severity }) => severity === 'error');
    const lines = errors.map(({ where, message: words }) => `${where?.file}:${where?.line}:${where?.column} ${words}`);
    expect(lines).toEqual([expect.stringContaining(message)]);
    expect(errors[0]?.hint ?? '').toBe(hint);
  });
});
