import { execFileSync } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { printDiagnostics } from '../../../scripts/cli/print/diagnostics.ts';
import { loadStack } from '../../../scripts/config/load.ts';
import type { Secret } from '../../../stack/secret.ts';
import { PlainScalar } from '../../../stack/values/plain-scalar.ts';
import { folderWith } from '../../support/config.ts';

/** Loads a valid stack.yml. */
async function load(
  text: string,
  more: { env?: Record<string, string>; files?: Record<string, string>; overrides?: object } = {},
) {
  await using folder = await folderWith({ 'stack.yml': text, ...more.files });
  const loaded = await loadStack({
    cwd: folder.path,
    env: more.env ?? {},
    ...(more.overrides === undefined ? {} : { overrides: { ...more.overrides } }),
  });
  if (!loaded.ok) throw new Error(printDiagnostics(loaded.error, () => undefined, false));
  return loaded.value;
}

describe('a stack.yml', () => {
  test.each(['', '# nothing\n', '---\n', 'prometheus:\ngrafana: ~\nlabels:\n'])(
    'of %j must mean the defaults',
    async (text) => {
      const { config } = await load(text);
      expect(config).toMatchObject({
        prometheus: { port: 9090, retention: { time: '15d' } },
        labels: {},
      });
    },
  );

  test('may list services that are left out of the stack for a network', async () => {
    const text = 'networks: [lab, {name: shop, services: [prometheus, grafana]}]\n';
    const without = { grafana: { enabled: false }, prometheus: { enabled: false } };
    expect((await load(text, { overrides: without })).config.networks).toHaveLength(2);
    await expect(load(`${text}grafana: {enabled: false}\n`)).rejects.toThrow('grafana is disabled');
  });

  test('must have the position of each key, or of its nearest parent', async () => {
    const stack = await load('name: demo\nprometheus:\n  port: 9091\npushgateway: {port: 9190}\n');
    expect(stack.locate(['prometheus', 'port'])).toMatchObject({ file: 'stack.yml', line: 3, column: 9, length: 4 });
    expect(stack.locate(['prometheus', 'port'], true)).toMatchObject({ line: 3, column: 3 });
    expect(stack.locate(['prometheus', 'retention', 'time'])).toMatchObject({ line: 2, column: 1 });
  });

  test('must be overridden key by key', async () => {
    const { config } = await load('prometheus:\n  port: 9190\n  scrape_interval: 1m\n', {
      overrides: { name: 'other', prometheus: { port: 9290 }, grafana: { enabled: false } },
    });
    expect(config).toMatchObject({ name: 'other', grafana: { enabled: false } });
    expect(config.prometheus).toMatchObject({ port: 9290, scrape_interval: '1m' });
  });

  test('must support anchors, aliases, merges and keys for anchors', async () => {
    const { config } = await load(`
x-common: &common {scheme: https, scrape_interval: 1m}
prometheus:
  scrape_configs:
    - {<<: *common, job_name: a}
    - &b {<<: *common, job_name: b, scrape_interval: 2m}
    - {<<: [*b, *common], job_name: c}
`);
    expect(config.prometheus.scrape_configs).toEqual([
      { job_name: 'a', scheme: 'https', scrape_interval: '1m' },
      { job_name: 'b', scheme: 'https', scrape_interval: '2m' },
      { job_name: 'c', scheme: 'https', scrape_interval: '2m' },
    ]);
  });

  test('must keep the source form of scalars, and read label values as strings', async () => {
    const { config } = await load(`
prometheus:
  external_labels: {version: 1.10, on: true, port: 0080}
  scrape_configs:
    - job_name: a
      sample_limit: 1e3
      static_configs: [{targets: ['a:1'], labels: {version: 1.10, year: 2024}}]
`);
    expect(config.prometheus.external_labels).toEqual({ version: '1.10', on: 'true', port: '0080' });
    expect(config.prometheus.scrape_configs[0]).toMatchObject({
      sample_limit: new PlainScalar('1e3', 1000),
      static_configs: [{ labels: { version: new PlainScalar('1.10', 1.1), year: 2024 } }],
    });
  });

  test('must take a number where a string is expected as it is written, and a quoted number as a number', async () => {
    const { config } = await load(`
name: 2024
prometheus:
  port: "9190"
  retention: {size: 0}
  extra_args: [--query.max-samples, 50000000, 1.10]
  resources: {memory: 536870912, cpus: "0.5"}
pushgateway: {enabled: "false", ttl: {default: 0, jobs: {007: 5d}}, resources: {memory: 0x20000000}}
grafana:
  admin_password: 0012345
  smtp: {host: 'mail:25', user: 1e3, password: 1.10, from_address: a@example.com, from_name: 5}
  database: {type: postgres, host: db, name: 010, user: 12, password: true}
  datasources:
    - {name: 0x1F, type: loki, uid: 45, orgId: "2", version: "3", isDefault: "True", basicAuthUser: 0012}
    - {name: b, type: loki, secureJsonData: {basicAuthPassword: 0012}}
`);
    const { prometheus, pushgateway, grafana } = config;
    expect(config.name).toBe('2024');
    expect(prometheus).toMatchObject({
      port: 9190,
      retention: { size: '0' },
      extra_args: ['--query.max-samples', '50000000', '1.10'],
      resources: { memory: 536_870_912, cpus: 0.5 },
    });
    expect(pushgateway).toMatchObject({
      enabled: false,
      ttl: { default: '0', jobs: { '007': '5d' } },
      resources: { memory: 536_870_912 },
    });
    expect(grafana.smtp).toMatchObject({ user: '1e3', from_name: '5' });
    expect(grafana.database).toMatchObject({ name: '010', user: '12' });
    expect(grafana.datasources[0]).toMatchObject({
      name: '0x1F',
      uid: '45',
      orgId: 2,
      version: 3,
      isDefault: true,
      basicAuthUser: '0012',
    });
    const secrets = [
      grafana.admin_password,
      grafana.smtp?.password,
      grafana.database?.password,
      grafana.datasources[1]?.secureJsonData['basicAuthPassword'],
    ];
    expect(secrets.map((secret) => secret?.reveal())).toEqual(['0012345', '1.10', 'true', '0012']);
  });

  test('must keep the source form of names of jobs, receivers and time intervals', async () => {
    const { config } = await load(`
prometheus:
  scrape_configs: [{job_name: 1.10}, {job_name: true}, {job_name: 12345678901234567890}]
alertmanager:
  route: {receiver: 010}
  receivers: [{name: 010}]
  time_intervals: [{name: 2024-01-01}, {name: 1e3}]
`);
    expect(config.prometheus.scrape_configs.map(({ job_name }) => job_name)).toEqual([
      '1.10',
      'true',
      '12345678901234567890',
    ]);
    expect(config.alertmanager.receivers[0]?.name).toBe('010');
    expect(config.alertmanager.time_intervals.map(({ name }) => name)).toEqual(['2024-01-01', '1e3']);
  });

  test('must hold secrets that are never printed', async () => {
    const { config } = await load(
      `
alertmanager:
  route: {receiver: team}
  receivers:
    - name: team
      webhook_configs: [{url: !env HOOK}, {url: !file secrets/hook}]
`,
      { env: { HOOK: 'http://planted' }, files: { 'secrets/hook': 'http://in-a-file\n' } },
    );
    const [{ webhook_configs: hooks }] = config.alertmanager.receivers as unknown as [
      { webhook_configs: { url: Secret }[] },
    ];
    expect(hooks.map(({ url }) => url.reveal())).toEqual(['http://planted', 'http://in-a-file']);
    expect(hooks.map(({ url }) => url.origin)).toEqual(['!env HOOK', '!file secrets/hook']);
    expect(JSON.stringify(config)).not.toMatch(/planted|in-a-file/);
  });

  test('must report a secret file that is not text, at its key', async () => {
    const text =
      'alertmanager:\n  receivers:\n    - name: a\n      webhook_configs: [{url: !file s}]\n  route: {receiver: a}\n';
    const problemWith = async (secret: string | Uint8Array): Promise<unknown> => {
      await using folder = await folderWith({ 'stack.yml': text, s: secret });
      const loaded = await loadStack({ cwd: folder.path, env: {} });
      return loaded.ok ? undefined : loaded.error.map(({ message, hint, where }) => [where?.line, message, hint]);
    };
    expect(await problemWith('http://a/\n')).toBeUndefined();
    expect(await problemWith(new Uint8Array([0x70, 0xe4, 0x73, 0x73]))).toEqual([
      [4, 'the secret file s is not UTF-8 text', 'convert it with iconv -f ISO-8859-1 -t UTF-8'],
    ]);
    expect(await problemWith('a\0b')).toEqual([
      [4, 'the secret file s contains a NUL byte', 'a secret is text: encode it, as in base64'],
    ]);
  });

  test('must read a pipe once, even if two keys name it', async () => {
    await using folder = await folderWith({
      'stack.yml':
        'alertmanager:\n  receivers:\n    - name: a\n      webhook_configs: [{url: !file s}, {url: !file s}]\n  route: {receiver: a}\n',
    });
    execFileSync('mkfifo', [join(folder.path, 's')]);
    const loading = loadStack({ cwd: folder.path, env: {} });
    createWriteStream(join(folder.path, 's')).end('http://a/');
    expect(await loading).toMatchObject({ ok: true });
  });

  test('must load each file that it names once, without name conflicts between folders', async () => {
    const rules = (name: string) => `groups:\n  - name: ${name}\n    rules: []\n`;
    const { userFiles } = await load(
      'prometheus:\n  rules: [rules/**/*, rules/team/a.yml, old.rules]\nalertmanager:\n  templates: [mail.tmpl]\n',
      {
        files: {
          'rules/a.yml': rules('a'),
          'rules/team/a.yml': `${rules('b')}\r\n`,
          'rules/.hidden.yml': 'no rules',
          'old.rules': rules('c'),
          'mail.tmpl': '{{ define "x" }}: not YAML{{ end }}',
        },
      },
    );
    expect(userFiles.map(({ service, path, content }) => [service, path, content.length])).toEqual([
      ['alertmanager', 'templates/user/mail.tmpl', 35],
      ['prometheus', 'rules/user/old.rules.yml', 34],
      ['prometheus', 'rules/user/rules__a.yml', 34],
      ['prometheus', 'rules/user/rules__team__a.yml', 36],
    ]);
    expect(userFiles.map(({ origin }) => origin)).toEqual([
      'mail.tmpl',
      'old.rules',
      'rules/a.yml',
      'rules/team/a.yml',
    ]);
  });

  test('must report a rule file that is not text', async () => {
    await using folder = await folderWith({
      'stack.yml': 'prometheus:\n  rules: [a.yml]\n',
      'a.yml': new Uint8Array([0xff, 0xfe, 0]),
    });
    const loaded = await loadStack({ cwd: folder.path, env: {} });
    expect(loaded).toMatchObject({ ok: false, error: [{ message: 'the file a.yml is not UTF-8 text' }] });
  });

  test('must have paths relative to the working directory in messages', async () => {
    await using folder = await folderWith({
      'stack.yml': 'nam: x\nprometheus: {rules: [r.yml]}\n',
      'r.yml': '[]',
      'deep/x': '',
    });
    const loaded = await loadStack({ cwd: join(folder.path, 'deep'), env: {} });
    const diagnostics = loaded.ok ? [] : loaded.error;
    expect(diagnostics.map(({ where }) => where?.file)).toEqual(['../stack.yml', '../r.yml']);
  });

  test('with 10,000 invalid rules must report all of them, and print only some', async () => {
    const rules = Array.from({ length: 10_000 }, (_, at) => `      - alert: A${at}\n        expr: up ==\n`).join('');
    await using folder = await folderWith({
      'stack.yml': 'prometheus: {rules: [r.yml]}\n',
      'r.yml': `groups:\n  - name: a\n    rules:\n${rules}`,
    });
    const loaded = await loadStack({ cwd: folder.path, env: {} });
    const diagnostics = loaded.ok ? [] : loaded.error;
    expect(diagnostics).toHaveLength(10_000);
    expect(printDiagnostics(diagnostics, () => undefined, false)).toMatch(
      /… and 9950 more\.\n10000 problems\. Nothing was changed\.\n$/,
    );
  });
});

describe('any content of stack.yml', () => {
  /** Texts that resemble a stack.yml, valid and invalid. */
  const texts = fc.oneof(
    fc.string(),
    fc
      .array(
        fc.constantFrom(
          'prometheus',
          'rules',
          'a',
          ':',
          ': ',
          '\n',
          '  ',
          '- ',
          '&a',
          '*a',
          '<<',
          '!env X',
          '!file y',
          '[',
          ']',
          '{',
          '}',
          '"',
          "'",
          '|',
          '>',
          '#',
          '\t',
          '---',
          '{{',
          '1',
          '~',
          'alertmanager:\n  route:\n    routes:\n',
        ),
      )
      .map((parts) => parts.join('')),
    fc.json(),
  );

  test.each(['toString', 'constructor', 'hasOwnProperty', 'valueOf'])(
    'a key that every object has, such as %s, must be as unknown as any',
    async (key) => {
      for (const [text, column] of [
        [`{prometheus: {}, ${key}: []}\n`, 18],
        [`prometheus: { ${key}: 1 }\n`, 15],
      ] as const) {
        await using folder = await folderWith({ 'stack.yml': text });
        const loaded = await loadStack({ cwd: folder.path, env: {} });
        if (loaded.ok) throw new Error(`${text} was taken`);
        expect(loaded.error).toMatchObject([{ code: 'unknown-key', where: { line: 1, column } }]);
      }
      const { config } = await load(`prometheus: { external_labels: { ${key}: a } }\n`);
      expect(config.prometheus.external_labels).toEqual({ [key]: 'a' });
    },
  );

  test('must be loaded to a config or to diagnostics with positions inside the file', async () => {
    await using folder = await folderWith({ y: 'secret' });
    const { writeFile } = await import('node:fs/promises');
    await fc.assert(
      fc.asyncProperty(texts, async (text) => {
        await writeFile(join(folder.path, 'stack.yml'), text);
        const loaded = await loadStack({ cwd: folder.path, env: { X: 'secret' } });
        const diagnostics = loaded.ok ? loaded.warnings : loaded.error;
        expect(loaded.ok || diagnostics.length > 0).toBe(true);
        for (const { where } of diagnostics) {
          expect(where?.line).toBeLessThanOrEqual(text.split('\n').length + 1);
          expect(where?.length).toBeGreaterThan(0);
        }
        expect(printDiagnostics(diagnostics, () => text, false)).not.toContain('secret\n');
      }),
      { numRuns: 500 },
    );
  });
});

test.each([
  'grafana: {admin_password: !env UNSET}',
  'grafana: {database: {type: postgres, host: db, user: a, password: !env UNSET}}',
  'grafana: {smtp: {host: "m:25", from_address: a@b.example.com, user: me, password: !env UNSET}}',
])('a secret without its text must be reported once, and not for its length: %s', async (text) => {
  for (const env of [{}, { UNSET: '' }]) {
    await using folder = await folderWith({ 'stack.yml': text });
    const loaded = await loadStack({ cwd: folder.path, env });
    const messages = loaded.ok ? [] : loaded.error.map(({ message }) => message);
    expect(messages).toEqual([expect.stringMatching(/^the environment variable UNSET is (?:not set|empty)$/)]);
  }
});
