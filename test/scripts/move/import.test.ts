import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { describe, expect, test } from 'vitest';
import { reportText } from '../../../scripts/move/findings.ts';
import { writeImport } from '../../../scripts/move/try-import.ts';
import { packageRoot } from '../../../scripts/util/package-root.ts';
import { redact } from '../../../scripts/util/redaction.ts';
import { folderWith } from '../../support/config.ts';
import { type Files, imported, importedFrom } from '../../support/imported.ts';

const root = join(packageRoot(), 'test', 'imports');
const stacks = await readdir(root);

describe.each(stacks)('the stack %s', (name) => {
  const cwd = join(root, name);

  test('must become the stack.yml, the files and the report beside it', async () => {
    const { draft, text, errors } = await imported(cwd, { paths: ['input'], name });
    expect(errors).toEqual([]);
    const report = reportText(draft.findings.all, [], draft.secrets, draft.nextSteps);
    const files = [...draft.files].map(([path, { mode, copyOf }]) => `${path} ${mode.toString(8)} ${copyOf ?? 'new'}`);
    await expect(text).toMatchFileSnapshot(join(cwd, 'stack.yml'));
    await expect(`${report}\n## Files\n\n${files.sort().join('\n')}\n`).toMatchFileSnapshot(join(cwd, 'report.md'));
    expect(text + report).not.toContain('not-a-real');
  });

  test('must be written with files that nobody else can read for its secrets, and copies byte for byte', async () => {
    const { draft, text } = await imported(cwd, { paths: ['input'], name });
    const out = await mkdtemp(join(tmpdir(), 'promstack-import-test-'));
    try {
      await writeImport(out, draft, text, cwd);
      for (const [path, { copyOf, content }] of draft.files) {
        const { mode } = await stat(join(out, path));
        expect([path, mode & 0o077]).toEqual([path, path.startsWith('secrets/') ? 0 : expect.any(Number)]);
        expect(await readFile(join(out, path))).toEqual(content);
        const source = copyOf === undefined ? undefined : await readFile(join(cwd, copyOf)).catch(() => undefined);
        if (source !== undefined && !source.includes('content: |')) expect(content).toEqual(source);
      }
    } finally {
      await rm(out, { recursive: true });
    }
  });
});

const config = 'scrape_configs: [{job_name: a, static_configs: [{targets: ["a:1"]}]}]\n';
const compose = (services: string): string => `services:\n${services}`;

describe('what cannot be imported must be reported at its line', () => {
  test.each<[string, Files, string[], string]>([
    ['a missing path', {}, ['nothing.yml'], 'nothing.yml:1: nothing.yml does not exist'],
    ['a binary file', { 'a.yml': new Uint8Array([0, 1, 2, 255]) }, ['a.yml'], 'a.yml:1: a.yml is not UTF-8 text'],
    ['a large file', { 'a.yml': Buffer.alloc(50 * 2 ** 20, '#') }, ['a.yml'], 'a.yml:1: a.yml is larger than 8 MiB'],
    [
      'a config in a volume',
      {
        'compose.yaml': compose(
          "  p: {image: 'prom/prometheus:v3.5.3', volumes: ['conf:/etc/prometheus', 'data:/prometheus']}\n",
        ),
      },
      ['.'],
      'compose.yaml:2: the config of prometheus, /etc/prometheus/prometheus.yml of the service p, is in the volume ',
    ],
    [
      'a config of a swarm',
      {
        'compose.yaml': compose(
          "  p:\n    image: 'prom/alertmanager:v0.33.1'\n    configs: [{source: am, target: /etc/alertmanager/alertmanager.yml}]\nconfigs: {am: {external: true}}\n",
        ),
      },
      ['.'],
      'compose.yaml:4: the config of alertmanager, /etc/alertmanager/alertmanager.yml of the service p, is in the config am',
    ],
    [
      'wrong YAML',
      { 'prometheus.yml': 'scrape_configs:\n  - a: [1\n' },
      ['.'],
      'prometheus.yml:2: this [ is never closed',
    ],
    [
      'two configs of a server',
      { 'a/prometheus.yml': config, 'b/prometheus.yml': config },
      ['.'],
      'b/prometheus.yml:1: there are two configs of prometheus: a/prometheus.yml and b/prometheus.yml',
    ],
    [
      'an expression that Prometheus refuses',
      {
        'prometheus.yml': `rule_files: [r.yml]\n${config}`,
        'r.yml': 'groups:\n  - name: a\n    rules:\n      - {alert: A, expr: "up =="}\n',
      },
      ['.'],
      'r.yml:4: ',
    ],
    [
      'a dashboard without a title',
      { 'd.json': '{"panels": [], "schemaVersion": 42}' },
      ['.'],
      'd.json:1: the dashboard has no title',
    ],
    [
      'an object of Kubernetes',
      { 'p.yml': 'apiVersion: v1\nkind: Pod\n' },
      ['p.yml'],
      'p.yml:1: p.yml is not the config of a server',
    ],
    [
      'a compose file of before version 2',
      { 'docker-compose.yml': 'prometheus:\n  image: prom/prometheus\n' },
      ['.'],
      'docker-compose.yml:1: ',
    ],
    ['nothing', { 'README.md': '' }, ['.'], '.:1: there is nothing to import'],
    [
      'a required variable',
      // biome-ignore lint/suspicious/noTemplateCurlyInString: the syntax of compose.
      { 'compose.yaml': compose('  prometheus:\n    image: "prom/prometheus:${TAG:?set it}"\n') },
      ['.'],
      'compose.yaml:3: the variable TAG is required here: "set it"',
    ],
    [
      'an env file that is missing',
      { 'compose.yaml': compose('  grafana:\n    image: grafana/grafana:12.4.0\n    env_file: a.env\n') },
      ['.'],
      'compose.yaml:4: the env file a.env does not exist',
    ],
    [
      'a setting of Grafana that stack.yml refuses',
      {
        'compose.yaml': compose(
          '  grafana:\n    image: grafana/grafana:12.4.0\n    environment:\n      GF_SMTP_ENABLED: "true"\n      GF_SMTP_HOST: mail.example.com:25\n      GF_SMTP_USER: ""\n      GF_SMTP_FROM_ADDRESS: nobody\n',
        ),
      },
      ['.'],
      'compose.yaml:8: expected an email address',
    ],
    [
      'a service that extends itself',
      { 'compose.yaml': compose('  a:\n    extends: b\n  b:\n    extends: a\n    image: prom/prometheus:v3.5.3\n') },
      ['.'],
      'compose.yaml:3: the service ',
    ],
    [
      'a route to a receiver that does not exist',
      { 'alertmanager.yml': 'route:\n  receiver: nobody\nreceivers: [{name: somebody}]\n' },
      ['.'],
      'alertmanager.yml:2: ',
    ],
    [
      'a job that is there twice',
      { 'prometheus.yml': 'scrape_configs:\n  - job_name: a\n  - job_name: a\n' },
      ['.'],
      'prometheus.yml:3: there are two jobs named "a"',
    ],
  ])('%s', async (_, files, paths, message) => {
    const { errors } = await importedFrom(files, { paths });
    expect(errors.join('\n')).toContain(message);
  });
});

test('a part that is not valid must be left out of a partial import, and the rest be valid', async () => {
  const { text, draft, diagnostics } = await importedFrom(
    {
      'prometheus.yml':
        'rule_files: ["*.rules.yml"]\nscrape_configs:\n  - job_name: a\n  - job_name: a\n  - job_name: b\n',
      'good.rules.yml': 'groups: [{name: a, rules: [{record: a, expr: up}]}]\n',
      'bad.rules.yml': 'groups: [{name: b, rules: [{record: b, expr: "up =="}]}]\n',
      'alertmanager.yml': 'route: {receiver: a}\nreceivers: [{name: a}]\nx_unknown: 1\n',
      'd.json': '{"panels": [], "schemaVersion": 42}',
    },
    { isPartial: true },
  );
  expect(diagnostics.filter(({ severity }) => severity === 'error')).toEqual([]);
  expect([...draft.files.keys()]).toEqual(['rules/good.rules.yml']);
  expect(text.match(/job_name: \w/g)).toEqual(['job_name: a', 'job_name: b']);
  const left = draft.findings.all
    .filter(({ fate }) => fate === 'left')
    .map(({ where, what }) => `${where?.file}:${where?.line} ${what}`);
  expect(left).toContain('alertmanager.yml:3 x_unknown');
  expect(left).toContain('bad.rules.yml:1 bad.rules.yml');
  expect(left).toContainEqual(expect.stringMatching(/^prometheus\.yml:4 prometheus\.scrape_configs/));
  expect(left).toContain('d.json:1 d.json');
});

test('a file that is mounted over one of a mounted folder must be the one that is read', async () => {
  const masked = 'route: {receiver: a}\nreceivers: [{name: a, webhook_configs: [{url: "http://relay/masked"}]}]\n';
  const { draft, text, errors } = await importedFrom({
    'conf/alertmanager.yml': masked,
    'real/alertmanager.yml':
      'route: {receiver: a}\nreceivers: [{name: a, slack_configs: [{channel: b, api_url_file: secret/slack-url}]}]\n',
    'conf/secret/slack-url': 'https://hooks.example.com/masked',
    'real/slack-url': 'https://hooks.example.com/real',
    'compose.yaml': compose(
      '  alertmanager:\n    image: prom/alertmanager:v0.33.1\n    volumes:\n      - ./conf:/etc/alertmanager\n' +
        '      - ./real/alertmanager.yml:/etc/alertmanager/alertmanager.yml\n      - ./real/slack-url:/etc/alertmanager/secret/slack-url\n',
    ),
  });
  expect(errors).toEqual([]);
  expect(text).not.toContain('masked');
  expect([...draft.files.values()].map(({ content }) => content.toString())).toEqual([
    'https://hooks.example.com/real\n',
  ]);
});

test.each(['./none.yml:/etc/prometheus/prometheus.yml', './none.yml:/etc/prometheus/prometheus.yml:ro'])(
  'a config that is mounted from nowhere must be reported, and no other be taken for it: %s',
  async (mount) => {
    const { errors } = await importedFrom({
      'other/prometheus.yml': config,
      'compose.yaml': compose(`  prom:\n    image: prom/prometheus:v3.5.3\n    volumes: ["${mount}"]\n`),
    });
    expect(errors).toEqual(['compose.yaml:2: none.yml, which prom mounts as its config, cannot be read']);
  },
);

test('flags that promstack sets must be left out, and reported', async () => {
  const { draft, text, errors } = await importedFrom({
    'prometheus.yml': 'scrape_configs: [{job_name: redis, static_configs: [{targets: ["cache:9121"]}]}]\n',
    'compose.yaml': compose(
      '  prometheus:\n    image: prom/prometheus:v3.5.3\n    volumes: ["./prometheus.yml:/etc/prometheus/prometheus.yml"]\n' +
        '  pushgateway:\n    image: prom/pushgateway:v1.11.2\n    command: [--web.route-prefix=/, --log.level=warn]\n' +
        '  cache:\n    image: oliver006/redis_exporter:v1.86.0\n    command:\n      - --redis.addr=redis:6379\n      - -web.listen-address=:9121\n',
    ),
  });
  expect(errors).toEqual([]);
  expect(text).not.toMatch(/web\.(?:route|listen)|extra_args: *\[?\]?\n {2}\w/);
  expect(text).toContain('--log.level=warn');
  const left = draft.findings.all.filter(({ why, what }) => why === 'promstack sets it' && /route|listen/.test(what));
  expect(left.map(({ where }) => `${where?.file}:${where?.line}`)).toEqual(['compose.yaml:12', 'compose.yaml:7']);
});

test.each([
  'environment: {GF_SECURITY_ADMIN_PASSWORD: "$$__file{/run/a}"}',
  'environment: {GF_SECURITY_ADMIN_PASSWORD__FILE: /run/a}',
])('a setting of Grafana from a file must have its content: %s', async (environment) => {
  const { draft, errors } = await importedFrom({
    a: 'planted\n',
    'compose.yaml': compose(
      `  grafana:\n    image: grafana/grafana:12.4.0\n    ${environment}\n    volumes: ["./a:/run/a"]\n`,
    ),
  });
  expect(errors).toEqual([]);
  expect([...draft.files].map(([path, { content }]) => [path, content.toString()])).toEqual([
    ['secrets/grafana-admin-password', 'planted\n'],
  ]);
});

test('a service that is in a network of others must join it, and no network of its project that goes', async () => {
  const { text, errors } = await importedFrom({
    'prometheus.yml': config,
    'compose.yaml': `${compose(
      '  prometheus:\n    image: prom/prometheus:v3.5.3\n    networks: [a, b, c, d]\n    volumes: ["./prometheus.yml:/etc/prometheus/prometheus.yml"]\n',
    )}networks: {a: {external: true}, b: , c: {external: true, name: proxy}, d: {external: false}}\n`,
  });
  expect(errors).toEqual([]);
  expect(text).toContain('networks:\n  - a\n  - proxy\nprometheus:');
});

test('files that exist must stay as they are', async () => {
  await using folder = await folderWith({ 'prometheus.yml': config, 'out/stack.yml': 'name: mine\n' });
  const { draft, text } = await imported(folder.path, { paths: ['prometheus.yml'] });
  await expect(writeImport(join(folder.path, 'out'), draft, text, folder.path)).rejects.toThrow(
    'out/stack.yml already exists',
  );
  expect(await readdir(join(folder.path, 'out'))).toEqual(['stack.yml']);
  expect(await readFile(join(folder.path, 'out/stack.yml'), 'utf8')).toBe('name: mine\n');
});

test('a secret must not be printed with the line of a mistake in its file', async () => {
  const text =
    'route: {receiver: a}\nreceivers:\n  - name: a\n    slack_configs: [{api_url: https://hooks.example.com/planted\n';
  const { draft } = await importedFrom({ 'alertmanager.yml': text });
  expect(draft.findings.problems.map(({ where }) => where?.isHidden)).toEqual([true]);
});

test('values must keep their spelling, their quotes and their comments', async () => {
  const lines = [
    '- job_name: "1.10" # a',
    '  scrape_interval: 1m30s',
    "  params: {a: [0x10, 'yes', no, 007, ~]}",
    '  # of the lab',
    '  metrics_path: /a',
  ];
  const { text } = await importedFrom({
    'prometheus.yml': `scrape_configs:\n${lines.map((line) => `  ${line}`).join('\n')}\n`,
  });
  for (const line of lines) expect(text).toContain(line);
});

test('comments must be kept, wherever they are', async () => {
  const numbered = (text: string): readonly [text: string, numbers: readonly number[]] => {
    const all = [...text.matchAll(/#(\d+)#/g)].map(([, number]) => Number(number));
    return [text, all.toSorted((a, b) => a - b)];
  };
  const [prometheus, before] = numbered(`# #1#

# #2# of the file
global: # #3#
  # #4#
  scrape_interval: 15s # #5#
  # #6#
  query_log_file: /a # #7#
rule_files: # #8#
  # - "#9#.yml"
  # - "#10#.yml"
# #11#
alerting: # #12#
  # #13#
  alertmanagers:
    # #14#
    - static_configs:
        - targets: # #15#
            # - alertmanager:#16#
            - alertmanager:9093 # #17#
# #18#
scrape_configs: # #19#
  # #20#
  - job_name: a # #21#
    static_configs: [{targets: ["a:1"]}] # #22#
  # #23#
  - job_name: prometheus
    static_configs:
      - targets: ["localhost:9090"] # #24#
      #  labels: {a: "#25#"}
  # #26#
unknown: # #27#
  a: 1 # #28#
# #29#

# #30#
`);
  const [alertmanager, others] = numbered(`# #40#
templates: # #41#
  # - #42#.tmpl
route: {receiver: a}
# #43#
receivers:
  - name: a
# #44#
`);
  const { text } = await importedFrom(
    { 'prometheus.yml': prometheus, 'alertmanager.yml': alertmanager },
    { isPartial: true },
  );
  expect(numbered(text)[1]).toEqual([...before, ...others]);
  expect(text).toContain('  # #1#\n\n  # #2# of the file\n');
  expect(text).toMatch(/ {2}# #29#\n(?:\n| +#\n)* {2}# #30#\n\n {2}# promstack's own/);
});

test.each(['# end', 'a: 1 # end', 'global: # end', 'rule_files:\n  # end'])(
  'a comment of a config without settings must be kept: %s',
  async (line) => {
    const { text } = await importedFrom({ 'prometheus.yml': `${config}${line}\n` }, { isPartial: true });
    expect(text).toMatch(/# end$/m);
  },
);

test('labels that all services have must be those of the stack, and others be reported', async () => {
  const service = (name: string, image: string, labels: string): string =>
    `  ${name}:\n    image: ${image}\n    labels: ${labels}\n`;
  const { draft, text, errors } = await importedFrom({
    'prometheus.yml': 'scrape_configs: [{job_name: n, static_configs: [{targets: ["n:9100"]}]}]\n',
    'compose.yaml': compose(
      service('p', 'prom/prometheus:v3.5.3', '{team: ops, group: "1", part: p, mark: }') +
        service('g', 'grafana/grafana:12.4.0', '[group=1, team=ops, part=g, mark]') +
        service('n', 'prom/node-exporter:v1.11.1', '{team: ops, group: 1, only: here, mark: ""}') +
        service('web', 'nginx', '{web: own}'),
    ),
  });
  expect(errors).toEqual([]);
  expect(text).toContain('labels:\n  team: ops\n  group: "1"\n  mark: ""\n');
  const about = draft.findings.all.filter(({ what }) => what.includes('labels'));
  expect(about.map(({ what, fate }) => `${fate} ${what}`)).toEqual([
    'taken labels team',
    'taken labels group',
    'taken labels mark',
    'left services.p.labels.part',
    'left services.g.labels.part',
    'left services.n.labels.only',
  ]);
});

test('labels of the only service must be left, since a stack has more containers', async () => {
  const { draft, text } = await importedFrom({
    'compose.yaml': compose('  p:\n    image: prom/pushgateway:v1.11.2\n    labels: [traefik.enable=true]\n'),
  });
  expect(text).not.toContain('traefik');
  expect(draft.findings.all.map(({ what }) => what)).toContain('services.p.labels.traefik.enable');
});

test('secrets must go into files, whatever receiver or client has them', async () => {
  const url = 'https://hooks.example.com/services/planted-secret';
  const { draft, text, errors } = await importedFrom({
    'alertmanager.yml': `global: {opsgenie_api_key: planted-secret, http_config: {basic_auth: {username: u, password: planted-secret}}}
route: {receiver: a}
receivers:
  - name: a
    slack_configs: [{api_url: "${url}", channel: '#a'}]
    webhook_configs: [{url: "${url}"}, {url: "http://user:planted-secret@relay:80/"}, {url: 'http://relay/a?token=planted-secret'}]
    sns_configs: [{topic_arn: 'arn:aws:sns:us-east-2:1:a', sigv4: {region: a, access_key: A, secret_key: planted-secret}}]
`,
    'prometheus.yml': `remote_write: [{url: "https://user:planted-secret@metrics.example.com/write"}]
scrape_configs:
  - job_name: a
    authorization: {credentials: planted-secret}
    http_headers: {X-Token: {secrets: [planted-secret]}}
    consul_sd_configs: [{server: "consul:8500", token: planted-secret}]
`,
  });
  expect(errors).toEqual([]);
  expect(text).not.toContain('planted-secret');
  expect(reportText(draft.findings.all, [], draft.secrets, [])).not.toContain('planted-secret');
  expect(draft.secrets.length).toBe(11);
});

test('secrets of exporters, of flags, of variables and of Grafana must be in no file but their own', async () => {
  const service = (name: string, image: string, lines: string): string => `  ${name}:\n    image: ${image}\n${lines}`;
  const { draft, text, diagnostics, errors } = await importedFrom({
    'compose.yaml': compose(
      service(
        'prom',
        'prom/prometheus:v3.5.3',
        '    volumes: [".:/etc/prometheus"]\n    environment: {API_TOKEN: planted-0}\n    command: ["--web.external-url=http://u:planted-1@a.example/", --log.level=warn]\n',
      ) +
        service(
          'probes',
          'prom/blackbox-exporter:v0.28.0',
          '    command: --config.file=/b/blackbox.yml\n    volumes: [".:/b"]\n',
        ) +
        service('mails', 'example/mails_exporter:1', '    command: --smtp.password=planted-2\n') +
        service(
          'grafana',
          'grafana/grafana:12.4.0',
          '    environment: [GF_DATABASE_URL=mysql://u:planted-3@db/g, GF_AUTH_GITHUB_CLIENT_SECRET=planted-4, "GF_SERVER_ROOT_URL=http://u:planted-5@a.example/", GRAFANA_TOKEN=planted-6]\n    volumes: ["./ds:/etc/grafana/provisioning/datasources"]\n',
        ),
    ),
    'prometheus.yml': `scrape_configs:
  - {job_name: mails, static_configs: [{targets: ['mails:9999']}]}
  - {job_name: a, params: {access_token: [planted-7]}, http_headers: {X-Api-Key: {values: [planted-8]}, Accept: {values: [text/plain]}}}
remote_write:
  - {url: 'https://a.example/write', headers: {Authorization: Bearer planted-9, X-Scope-OrgID: shop}}
`,
    'blackbox.yml': `modules:
  a: {prober: http, http: {basic_auth: {username: u, password: planted-10}, headers: {Cookie: planted-11, Accept-Language: en}}}
  b: {prober: http, http: {bearer_token: planted-12}}
  c: {prober: http, http: {oauth2: {client_id: a, client_secret: planted-13, token_url: 'https://a.example/token'}, proxy_connect_header: {Proxy-Authorization: [planted-14]}}}
`,
    'ds/a.yml':
      'apiVersion: 1\ndatasources: [{name: A, type: prometheus, url: "http://u:planted-15@prom:9090/", jsonData: {token: planted-16, httpHeaderName1: X-A, httpHeaderValue1: planted-17}, secureJsonData: {httpHeaderValue1: planted-18}}]\n',
  });
  expect(errors).toEqual([]);
  const report = reportText(draft.findings.all, diagnostics, draft.secrets, draft.nextSteps);
  const open = [...draft.files].filter(([path]) => !path.startsWith('secrets/')).map(([, { content }]) => content);
  expect(text + report + open.join('\n')).not.toContain('planted');
  for (const kept of ['Accept-Language: en', 'X-Scope-OrgID: shop', 'values: [text/plain]', 'basicAuthUser: u']) {
    expect(text).toContain(kept);
  }
  const secrets = [...draft.files].filter(([path]) => path.startsWith('secrets/'));
  const numbers = secrets.flatMap(([, { content }]) => /planted-(\d+)/.exec(content.toString())?.[1] ?? []).map(Number);
  expect(numbers.sort((a, b) => a - b)).toEqual([4, 7, 8, 9, 10, 11, 12, 13, 14, 15, 18]);
  const named = draft.findings.all.filter(({ fate }) => fate === 'left').map(({ what }) => what);
  expect(named).toEqual(
    expect.arrayContaining([
      'services.prom.environment.API_TOKEN',
      '--web.external-url',
      'services.mails',
      'services.grafana.environment.GF_DATABASE_URL',
      'services.grafana.environment.GF_SERVER_ROOT_URL',
      'services.grafana.environment.GRAFANA_TOKEN',
      'datasources A jsonData.token',
      'datasources A jsonData.httpHeaderValue1',
    ]),
  );
});

test('the configs of other programs must not be taken for those of the servers', async () => {
  const others = ['clients: [{url: "http://loki:3100"}]', 'positions: {filename: /p}', 'logs: {configs: []}'];
  const { text, errors } = await importedFrom({
    'prometheus.yml': config,
    ...Object.fromEntries(others.map((line, at) => [`other-${at}/config.yml`, `${line}\nscrape_configs: []\n`])),
    'grafana/pytest.ini': '[coverage:run]\nbranch = true\n',
    'grafana-tools/setup.cfg.ini': '[metadata]\na = b\n',
  });
  expect(errors).toEqual([]);
  expect(text).toContain('targets: ["a:1"]');
  expect(text).toContain('grafana: {enabled: false}');
});

test('a pipe must be reported, whether the user or a config names it', async () => {
  await using folder = await folderWith({
    'prometheus.yml': `rule_files: [pipe.yml]\n${config}`,
    'compose.yaml': compose(
      '  p:\n    image: prom/prometheus:v3.5.3\n    volumes: ["./pipe.yml:/etc/prometheus/prometheus.yml"]\n',
    ),
  });
  await execa('mkfifo', [join(folder.path, 'pipe.yml')]);
  const message = 'pipe.yml:1: pipe.yml is a pipe, a socket or a device';
  expect((await imported(folder.path, { paths: ['pipe.yml'], name: 'shop' })).errors).toContain(message);
  expect((await imported(folder.path, { name: 'shop' })).errors).not.toEqual([]);
});

test.each(['', '# later\n'])('a config without settings must be taken: %j', async (text) => {
  const { errors } = await importedFrom({
    'p.yml': text,
    'compose.yaml': compose(
      '  p:\n    image: prom/prometheus:v3.5.3\n    volumes: ["./p.yml:/etc/prometheus/prometheus.yml"]\n',
    ),
  });
  expect(errors).toEqual([]);
});

test.each(['root:x:0:0:root', '- a\n', 'a: [\n'])(
  'a file that is mounted as a config and is none must be reported: %j',
  async (text) => {
    const { errors } = await importedFrom({
      passwd: text,
      'compose.yaml': compose(
        '  p:\n    image: prom/prometheus:v3.5.3\n    volumes: ["./passwd:/etc/prometheus/prometheus.yml"]\n',
      ),
    });
    expect(errors).toContain('passwd:1: passwd, which p mounts as its config, is not a config of prometheus');
  },
);

async function writeAll(folder: string, files: Files): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), content);
  }
}

test('a compose file in a folder must be able to name files outside of it', async () => {
  await using folder = await folderWith({});
  await writeAll(folder.path, {
    'config/prometheus.yml': config,
    'run/compose.yaml': compose(
      '  prometheus:\n    image: prom/prometheus:v3.5.3\n    volumes: ["../config:/etc/prometheus"]\n',
    ),
  });
  const { text, errors } = await imported(folder.path, { paths: ['run'] });
  expect(errors).toEqual([]);
  expect(text).toContain('job_name: a');
});

describe('a file must be recognised by its content', () => {
  test.each<[string, Files, string[]]>([
    [
      'a collector of OpenTelemetry',
      { 'otel.yaml': 'receivers: {otlp: }\nexporters: {debug: }\nservice: {pipelines: }\n' },
      [],
    ],
    ['a pipeline of GitLab', { '.gitlab-ci.yml': 'services: [docker:dind]\ntest: {script: [make]}\n' }, []],
    [
      'a chart',
      { 'chart/templates/prometheus.yaml': '{{- if .Values.a }}\nscrape_configs: {{ .Values.b }}\n{{- end }}\n' },
      [],
    ],
    [
      'an Alertmanager with a template in a text',
      {
        'a.yml':
          'route: {receiver: a}\nreceivers:\n  - name: a\n    email_configs:\n      - to: a@example.com\n        html: |\n          {{ range .Alerts }}\n          {{ end }}\n',
      },
      ['route', 'receivers'],
    ],
    [
      'a Prometheus that only receives',
      {
        'prometheus.yaml':
          'global: {scrape_native_histograms: true}\notlp: {keep_identifying_resource_attributes: true}\n',
      },
      ['global', 'otlp'],
    ],
  ])('%s', async (_, files, keys) => {
    const { draft, errors } = await importedFrom({ ...files, 'good.rules.yml': 'groups: []\n' });
    const taken = draft.findings.all.flatMap(({ fate, what, where }) =>
      fate === 'taken' && where !== undefined ? [what] : [],
    );
    expect(errors.filter((message) => !message.includes('smarthost'))).toEqual([]);
    expect(taken.map((what) => what.split('.')[0])).toEqual(keys);
  });
});

test('a datasource without a uid must keep the one that dashboards refer to', async () => {
  const { text, errors } = await importedFrom({
    'prometheus.yml': config,
    'datasources.yml':
      'apiVersion: 1\ndatasources:\n  - {name: Prometheus, type: prometheus, url: "http://prometheus:9090"}\n  - {name: Hello world, type: loki, url: "http://loki:3100"}\n',
    'd.json': JSON.stringify({
      title: 'D',
      uid: 'd',
      schemaVersion: 42,
      panels: ['PBFA97CFB590B2093', 'P64EC88CA00B268E5'].map((uid, id) => ({
        id,
        type: 'stat',
        title: 'a',
        datasource: { uid },
        gridPos: { h: 1, w: 1, x: 0, y: id },
      })),
    }),
  });
  expect(errors).toEqual([]);
  expect(text).toContain('uid: P64EC88CA00B268E5');
});

test('without a compose file, jobs and datasources with the name of a server must be about that of the stack', async () => {
  const { text, errors } = await importedFrom({
    'prometheus.yml': 'scrape_configs: [{job_name: grafana, static_configs: [{targets: ["agraf:3000"]}]}]\n',
    'datasources.yml': 'apiVersion: 1\ndatasources: [{name: prometheus, type: prometheus, url: "http://aprom:9090"}]\n',
  });
  expect(errors).toEqual([]);
  expect(text).toContain('{targets: [grafana:3000], labels: {instance: agraf:3000}}');
  expect(text).toContain('url: "http://prometheus:9090"');
});

test('localhost must be the host where the servers ran on it, and keep the label instance', async () => {
  const files = {
    'prometheus.yml':
      'scrape_configs: [{job_name: a, static_configs: [{targets: ["localhost:9100", "127.0.0.1:9090"]}]}]\nremote_write: [{url: "http://localhost:8428/api/v1/write"}]\n',
  };
  const host = 'targets: [host.docker.internal:9100], labels: {instance: localhost:9100}';
  const { text } = await importedFrom(files);
  expect(text).toContain(host);
  expect(text).toContain('targets: [prometheus:9090]');
  expect(text).toContain('url: "http://host.docker.internal:8428/api/v1/write"');

  const service = '  p:\n    image: prom/prometheus:v3.5.3\n    volumes: [".:/etc/prometheus"]\n';
  const shared = await importedFrom({ ...files, 'compose.yaml': compose(`${service}    network_mode: host\n`) });
  expect(shared.text).toContain(host);
  const own = await importedFrom({ ...files, 'compose.yaml': compose(service) });
  expect(own.text).toContain('localhost:9100');
  expect(own.text).not.toContain('host.docker.internal');
});

describe('a secret that no field says to be one must be in no file that others can read, and named', () => {
  const url = 'https://u:planted-secret@a.example/';
  const hook = 'https://hooks.slack.com/services/T0/B0/planted-secret';
  const dashboard = (link: string): string =>
    JSON.stringify({ title: 'D', uid: 'd', schemaVersion: 42, panels: [], links: [{ type: 'link', url: link }] });
  const am = 'route: {receiver: a}\nreceivers: [{name: a}]\n';

  test.each<[string, Files]>([
    [
      'a template',
      { 'alertmanager.yml': `templates: [t/*.tmpl]\n${am}`, 't/a.tmpl': `{{ define "a" }}\n${url}{{ end }}` },
    ],
    [
      'a template with a webhook',
      { 'alertmanager.yml': `templates: [a.tmpl]\n${am}`, 'a.tmpl': `{{ define "a" }}${hook}{{ end }}` },
    ],
    [
      'an annotation',
      {
        'prometheus.yml': `rule_files: [a.yml]\n${config}`,
        'a.yml': `groups: [{name: a, rules: [{alert: A, expr: up == 0, annotations: {runbook_url: "${url}"}}]}]\n`,
      },
    ],
    [
      'a comment of rules',
      { 'prometheus.yml': `rule_files: [a.yml]\n${config}`, 'a.yml': '# token: planted-secret\ngroups: []\n' },
    ],
    ['a link of a dashboard', { 'prometheus.yml': config, 'd.json': dashboard(url) }],
    [
      'a parameter of a link',
      { 'prometheus.yml': config, 'd.json': dashboard('https://a.example/?api_key=planted-secret') },
    ],
    [
      'a target in a file',
      {
        'prometheus.yml': 'scrape_configs: [{job_name: a, file_sd_configs: [{files: [t.json]}]}]\n',
        't.json': `[{"targets": ["a:1"], "labels": {"page": "${url}"}}]`,
      },
    ],
    [
      'an included file of jobs',
      {
        'prometheus.yml': 'scrape_config_files: [more.yml]\n',
        'more.yml':
          'scrape_configs: [{job_name: a, basic_auth: {username: a, password_file: "/x"}}]\n# password: planted-secret\n',
      },
    ],
    ['a comment', { 'prometheus.yml': `# password: planted-secret\n${config}` }],
    [
      'a comment with a URL',
      { 'prometheus.yml': `global:\n  # was ${url}\n  scrape_interval: 1m # ${hook}\n${config}` },
    ],
    [
      'a commented key',
      {
        'alertmanager.yml': `route: {receiver: a}\nreceivers:\n  - name: a\n    # slack_configs: [{api_url: "${hook}"}]\n`,
      },
    ],
    [
      'a proxy',
      {
        'prometheus.yml': `scrape_configs: [{job_name: a, proxy_url: "${url}", static_configs: [{targets: ["a:1"]}]}]\n`,
      },
    ],
    ['an external label', { 'prometheus.yml': `global: {external_labels: {page: "${url}"}}\n${config}` }],
    [
      'a relabelled value',
      {
        'prometheus.yml': `alerting: {alert_relabel_configs: [{target_label: page, replacement: "${url}"}]}\n${config}`,
      },
    ],
    [
      'remote storage',
      { 'prometheus.yml': `remote_read: [{url: "https://a.example/read?token=planted-secret"}]\n${config}` },
    ],
    [
      'an address of another scheme',
      {
        'prometheus.yml':
          'scrape_configs: [{job_name: a, params: {target: ["redis://u:planted-secret@r:6379"]}, static_configs: [{targets: ["a:1"]}]}]\n',
      },
    ],
    [
      'a correlation',
      {
        'prometheus.yml': config,
        'ds.yml': `apiVersion: 1\ndatasources: [{name: A, type: prometheus, url: "http://p:9090", correlations: [{targetUID: a, label: "${url}"}]}]\n`,
      },
    ],
    [
      'a job of an exporter',
      {
        'prometheus.yml':
          'scrape_configs: [{job_name: cache, basic_auth: {username: u, password: planted-secret}, static_configs: [{targets: ["cache:9121"]}]}]\n',
        'compose.yaml': compose(
          "  p: {image: 'prom/prometheus:v3.5.3', volumes: ['.:/etc/prometheus']}\n  cache: {image: 'oliver006/redis_exporter:v1.86.0', command: ['--redis.addr=r:6379', '--script-url=https://u:planted-secret@a.example']}\n",
        ),
      },
    ],
    [
      'a flag and a variable of Grafana',
      {
        'compose.yaml': compose(
          `  p: {image: 'prom/prometheus:v3.5.3', command: ['--web.external-url=${url}', '--enable-feature=a,${url}']}\n  g: {image: 'grafana/grafana:12.4.0', environment: {GF_RENDERING_SERVER_URL: '${url}', GF_AUTH_SIGNOUT_REDIRECT_URL: '${url}'}}\n`,
        ),
        'prometheus.yml': config,
      },
    ],
  ])('%s', async (_, files) => {
    const { draft, text, diagnostics } = await importedFrom(files);
    const { all } = draft.findings;
    expect(text + redact(reportText(all, diagnostics, draft.secrets, draft.nextSteps))).not.toContain('planted-secret');
    const having = [...draft.files].filter(([, { content }]) => content.includes('planted-secret'));
    for (const [path, { mode }] of having) {
      expect([path, mode]).toEqual([path, 0o600]);
      expect(draft.secrets.map(({ file }) => file)).toContain(path);
    }
    const named = all.filter(({ why }) => /secret|password|token|URL with a host/.test(why ?? ''));
    expect(having.length + named.length).toBeGreaterThan(0);
  });

  test('texts that have none must be copied as they are', async () => {
    const files: Files = {
      'prometheus.yml': `# The key: see token_url below.\nrule_files: [a.yml]\n${config}`,
      'a.yml':
        'groups: [{name: a, rules: [{alert: A, expr: up, labels: {token: "{{ $labels.token }}"}, annotations: {runbook_url: "https://a.example/x?b=1#password"}}]}]\n',
      'd.json': dashboard('https://a.example/d/uid?var-host=a&from=now'),
    };
    const { draft, errors } = await importedFrom(files);
    expect(errors).toEqual([]);
    expect(draft.secrets).toEqual([]);
    expect([...draft.files.values()].map(({ mode }) => mode)).toEqual([0o644, 0o644]);
  });
});

test('an snmp_exporter must be moved with its auths, in a file that nobody else can read', async () => {
  const job = `  - job_name: switches
    metrics_path: /snmp
    params: {module: [if_mib], auth: [office]}
    static_configs: [{targets: ['192.0.2.1']}]
    relabel_configs:
      - {source_labels: [__address__], target_label: __param_target}
      - {target_label: __address__, replacement: 'snmp:9116'}
`;
  const files = (snmp: string): Files => ({
    'prometheus.yml': `scrape_configs:\n${job}`,
    'snmp/snmp.yml': snmp,
    'compose.yaml': compose(
      "  p: {image: 'prom/prometheus:v3.5.3', volumes: ['./prometheus.yml:/etc/prometheus/prometheus.yml']}\n" +
        "  snmp: {image: 'prom/snmp-exporter:v0.30.1', command: ['--config.file', /etc/snmp.yml], volumes: ['./snmp/snmp.yml:/etc/snmp.yml'], ports: ['9999:9116']}\n",
    ),
  });
  const modules = 'modules: {if_mib: {walk: [interfaces]}}\n';
  const { draft, text, errors } = await importedFrom(
    files(`auths:\n  office: {version: 2, community: planted-community}\n${modules}`),
  );
  expect(errors).toEqual([]);
  expect(text).toContain('config: snmp.yml\n    auth: office\n    port: 9999\n');
  expect(text).toContain("replacement: 'snmp-exporter:9116'");
  expect(draft.files.get('snmp.yml')?.mode).toBe(0o600);
  expect(draft.secrets).toMatchObject([{ file: 'snmp.yml', what: 'services.snmp auths' }]);
  expect(text).not.toContain('planted');

  const old = await importedFrom(files('if_mib: {walk: [interfaces]}\n'));
  expect(old.text).not.toContain('exporters');
  expect(old.draft.findings.all).toContainEqual(
    expect.objectContaining({ fate: 'left', what: 'services.snmp', why: expect.stringContaining('has no auths') }),
  );
});

test('flags of an exporter with their values in words of their own must be read like those with =', async () => {
  const { text, errors } = await importedFrom({
    'prometheus.yml': 'scrape_configs: [{job_name: node, static_configs: [{targets: ["host:9100"]}]}]\n',
    'compose.yaml': compose(
      `  p: {image: 'prom/prometheus:v3.5.3', volumes: ['.:/etc/prometheus']}
  host:
    image: prom/node-exporter:v1.11.1
    command: [--path.procfs, /host/proc, --collector.filesystem.ignored-mount-points, '^/(sys|proc)($$|/)', --log.level, warn]
`,
    ),
  });
  expect(errors).toEqual([]);
  expect(text).toMatch(/extra_args:\n +- --log\.level=warn\n/);
  expect(text).not.toContain('mount-points');
});

describe('servers that answered below a path, or with TLS, must be asked as the stack serves them', () => {
  const prefixed = (key: string, image: string, flags: string): string =>
    `  ${key}:\n    image: ${image}\n    command: [${flags}]\n    volumes: ['.:/etc/${key}']\n`;
  const services = compose(
    `${prefixed('prometheus', 'prom/prometheus:v3.5.3', '--web.external-url=https://a.example/prom/')}    ports: ['9990:9090']
${prefixed('alertmanager', 'prom/alertmanager:v0.33.1', '--web.external-url=https://a.example/x, --web.route-prefix=/am')}${prefixed('push', 'prom/pushgateway:v1.11.2', '--web.route-prefix=push/')}${prefixed('node', 'prom/node-exporter:v1.9.1', '--web.telemetry-path=/m, --web.config.file=/etc/node/web.yml')}${prefixed('probe', 'prom/blackbox-exporter:v0.27.0', '--web.external-url=http://probe/bb')}  graphs:
    image: grafana/grafana:12.4.0
    environment: {GF_SERVER_ROOT_URL: '%(protocol)s://%(domain)s/graphs/', GF_SERVER_SERVE_FROM_SUB_PATH: 'true'}
    volumes: ['./provisioning:/etc/grafana/provisioning']
`,
  );
  const job = (name: string, target: string, more = ''): string =>
    `  - {job_name: ${name}, ${more}static_configs: [{targets: [${target}]}]}\n`;
  const files = {
    'compose.yaml': services,
    'alertmanager.yml':
      'route: {receiver: a}\nreceivers: [{name: a, webhook_configs: [{url: "http://push:9091/push/metrics/job/a"}]}]\n',
    'provisioning/datasources/a.yml':
      'datasources: [{name: P, type: prometheus, url: "https://prometheus:9090/prom"}, {name: A, type: prometheus, url: "http://prometheus:9090/promise"}]\n',
    'prometheus.yml': `alerting: {alertmanagers: [{path_prefix: /am, static_configs: [{targets: ['alertmanager:9093']}]}]}
scrape_configs:
${job('self', "'localhost:9090'", 'metrics_path: /prom/metrics, ')}${job('tls', "'prometheus:9090'", 'scheme: https, metrics_path: /prom/metrics, ')}${job('host', "'host.docker.internal:9990'", 'metrics_path: /prom/metrics, ')}${job('am', "'alertmanager:9093'", 'metrics_path: /am/metrics, ')}${job('push', "'push:9091'", 'metrics_path: /push/metrics, honor_labels: true, ')}${job('graphs', "'graphs:3000'", 'metrics_path: /graphs/metrics, ')}${job('node', "'node:9100'", 'metrics_path: /m, scheme: https, tls_config: {insecure_skip_verify: true}, ')}${job('mixed', "'prometheus:9090', 'other:1'", 'metrics_path: /prom/metrics, ')}${job('federate', "'prometheus:9090'", 'metrics_path: /prom/federate, params: {"match[]": [up]}, ')}  - job_name: probes
    metrics_path: /bb/probe
    params: {module: [http_2xx]}
    static_configs: [{targets: ['http://prometheus:9090/prom/-/ready']}]
    relabel_configs:
      - {source_labels: [__address__], target_label: __param_target}
      - {target_label: __address__, replacement: 'probe:9115'}
`,
  };

  const expected: Readonly<Record<string, string>> = {
    'a job with a path': 'job_name: self, metrics_path: /metrics, static_configs: [{targets: [prometheus:9090]',
    'a job with TLS':
      "job_name: tls, scheme: http, metrics_path: /metrics, static_configs: [{targets: ['prometheus:9090']}]}",
    'a job that asks through the host':
      'job_name: host, metrics_path: /metrics, static_configs: [{targets: [prometheus:9090], labels: {instance: host.docker.internal:9990}}]',
    'a job of Alertmanager':
      "job_name: am, metrics_path: /metrics, static_configs: [{targets: ['alertmanager:9093']}]}",
    'a job of the Pushgateway':
      'job_name: push, metrics_path: /metrics, honor_labels: true, static_configs: [{targets: [pushgateway:9091]',
    'a job of Grafana': 'job_name: graphs, metrics_path: /metrics, static_configs: [{targets: [grafana:3000]',
    'a job with other targets':
      "job_name: mixed, metrics_path: /prom/metrics, static_configs: [{targets: ['other:1']}, {targets: [prometheus:9090], labels: {__metrics_path__: /metrics}}]}",
    'a job that federates': 'job_name: federate, metrics_path: /federate,',
    'a job of an exporter': '  node:\n    image: prom/node-exporter:v1.9.1\n    scrape:\n      relabel_configs:\n',
    'probes through an exporter':
      "metrics_path: /probe\n      params: {module: [http_2xx]}\n      static_configs: [{targets: ['http://prometheus:9090/-/ready']}]",
    'a datasource with TLS': 'type: prometheus, url: "http://prometheus:9090"}',
    'a datasource with another path': 'type: prometheus, url: "http://prometheus:9090/promise"}',
    'a receiver': 'url: "http://pushgateway:9091/metrics/job/a"',
  };

  test.each(Object.entries(expected))('%s', async (_, part) => {
    const { text, errors } = await importedFrom(files);
    expect(errors).toEqual([]);
    expect(text).toContain(part);
  });

  test('without a compose file, which has the prefix', async () => {
    const { text, draft } = await importedFrom({
      'prometheus.yml': `scrape_configs:\n${job('self', "'localhost:9090'", 'metrics_path: /prom/metrics, ')}`,
    });
    expect(text).toContain('{job_name: self, metrics_path: /metrics, static_configs: [{targets: [prometheus:9090]');
    expect(draft.findings.all).toContainEqual(
      expect.objectContaining({
        fate: 'changed',
        what: 'scrape_configs self metrics_path',
        into: 'metrics_path: /metrics',
      }),
    );
  });

  test('servers that share one network stack, by the names of each and by localhost', async () => {
    const { text } = await importedFrom({
      'compose.yaml': compose(
        "  prometheus:\n    image: prom/prometheus:v3.5.3\n    command: [--web.listen-address=:9999]\n    volumes: ['.:/etc/prometheus']\n" +
          '  alerts:\n    image: prom/alertmanager:v0.33.1\n    network_mode: service:prometheus\n',
      ),
      'prometheus.yml': `alerting: {alertmanagers: [{static_configs: [{targets: ['localhost:9093']}]}]}\nscrape_configs:\n${job('a', "'localhost:9999', 'prometheus:9093'")}`,
    });
    expect(text).toContain('{targets: [prometheus:9090], labels: {instance: localhost:9999}}');
    expect(text).toContain('{targets: [alertmanager:9093], labels: {instance: prometheus:9093}}');
    expect(text).not.toContain('alerting:');
  });
});

describe('the files of the host that an exporter reads', () => {
  const node = (mounts: string, flag: string) => ({
    'compose.yaml': compose(
      `  prometheus: {image: 'prom/prometheus:v3.5.3', volumes: ['.:/etc/prometheus']}\n` +
        `  node: {image: 'prom/node-exporter:v1.9.1', volumes: [${mounts}], command: ['--path.rootfs=/rootfs', '--collector.textfile.directory=${flag}']}\n`,
    ),
    'prometheus.yml': 'scrape_configs: [{job_name: node, static_configs: [{targets: ["node:9100"]}]}]\n',
  });

  test('must be read at their place in the container of the stack, below the root of the host', async () => {
    const { text } = await importedFrom(node("'/:/rootfs:ro'", '/rootfs/var/lib/metrics'));
    expect(text).toContain('- --collector.textfile.directory=/host/var/lib/metrics\n');
  });

  test('must keep it with compose where the stack does not have them', async () => {
    const { text, draft } = await importedFrom(
      node("'/:/rootfs:ro', './metrics:/var/lib/metrics'", '/var/lib/metrics'),
    );
    expect(text).not.toContain('exporters:');
    expect(draft.findings.all).toContainEqual(
      expect.objectContaining({
        fate: 'left',
        what: 'services.node',
        why: 'it stays with compose: --collector.textfile.directory names files of the host',
      }),
    );
  });
});
