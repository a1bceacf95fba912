import { expect, test } from 'vitest';
import { stringify } from 'yaml';
import { alertmanagerSecrets } from '../../stack/alertmanager/secret-fields.ts';
import { prometheusSecrets } from '../../stack/prometheus/secret-fields.ts';
import { secretTextProblem } from '../../stack/secrets/secret-text.ts';
import { openTools } from '../support/tools.ts';

type Keys = readonly string[];

/** A value below keys: `{a: {b: value}}`; a list where a key names one. */
function below(keys: Keys, value: unknown): unknown {
  const [key, ...rest] = keys;
  if (key === undefined) return value;
  const inner = below(rest, value);
  return { [key]: key.endsWith('_configs') || key.startsWith('remote_') ? [inner] : inner };
}

/** The keys of a field's file, and its value. */
function fileOf([field, fileKey]: readonly [string, string]): { keys: Keys; value: unknown } {
  const keys = [...field.replace('*', 'X-Key').split('.').slice(0, -1), fileKey];
  return { keys, value: fileKey === 'files' ? ['/a/file'] : '/a/file' };
}

function alertmanagerWith(entry: readonly [string, string]): string {
  const { keys, value } = fileOf(entry);
  const [top = ''] = keys;
  const smtp = top === 'smtp_tls_config' ? ['global', ...keys] : keys;
  if (smtp[0] === 'global') return stringify(below(smtp, value));
  const ofReceiver = top.endsWith('_configs')
    ? keys
    : ['webhook_configs', ...(top === 'http_config' ? [] : ['http_config']), ...keys];
  return stringify({ receivers: [{ name: 'x', ...(below(ofReceiver, value) as object) }] });
}

function prometheusWith(entry: readonly [string, string]): string {
  const { keys, value } = fileOf(entry);
  const [top = ''] = keys;
  const isTop = top === 'scrape_configs' || top.startsWith('remote_');
  return stringify(below(isTop ? keys : ['scrape_configs', ...keys], value));
}

const programs = [
  { service: 'alertmanager', check: 'amtool check-config', table: alertmanagerSecrets, configWith: alertmanagerWith },
  {
    service: 'prometheus',
    check: 'promtool check config --syntax-only',
    table: prometheusSecrets,
    configWith: prometheusWith,
  },
] as const;

test.each(programs)(
  'every field of the table must be one that $service knows',
  async ({ service, check, table, configWith }) => {
    const entries = Object.entries(table.fields);
    const configs = [...entries.map(configWith), configWith(['basic_auth.nothing', 'nothing_file'])];
    const files = Object.fromEntries(configs.map((text, at) => [`${at}.yml`, text]));
    await using tools = await openTools({ service, files });
    const script = `for n in $(seq 0 ${configs.length - 1}); do echo "== $n"; ${check} /files/$n.yml 2>&1; done`;
    const { stdout } = await tools.run('sh', '-c', script);
    const outputs = stdout.split(/^== \d+$/m).slice(1);
    expect(outputs).toHaveLength(configs.length);
    // A discovery that the image lacks is missing as a whole: field oci_sd_configs not found.
    const unknown = outputs.flatMap((output, at) =>
      /field (?!\w+_sd_configs )\S+ not found/.test(output) ? [entries[at]?.[0] ?? 'the made-up one'] : [],
    );
    expect(unknown).toEqual(['the made-up one']);
  },
);

test('a secret URL must be rejected when amtool rejects it', async () => {
  const urls = [
    'http://a/',
    'https://a:8080/b?c=d#e',
    'http://u:p%40@a/',
    'HTTP://a',
    'http://[::1]:80/',
    'http://a/b c',
  ];
  const others = [
    'a.example/x',
    'ftp://a/',
    'http://',
    'http:///x',
    '//a/',
    'http://a b/',
    'http://a/%zz',
    'http://a:b/',
  ];
  const all = [...urls, ...others];
  const configOf = (url: string): string =>
    stringify({ route: { receiver: 'x' }, receivers: [{ name: 'x', webhook_configs: [{ url }] }] });
  const files = Object.fromEntries(all.map((url, at) => [`${at}.yml`, configOf(url)]));
  await using tools = await openTools({ service: 'alertmanager', files });
  for (const [at, url] of all.entries()) {
    const { exitCode } = await tools.run('amtool', 'check-config', `/files/${at}.yml`);
    expect([url, exitCode !== 0]).toEqual([url, others.includes(url)]);
    expect([url, secretTextProblem(url, 'url') !== undefined]).toEqual([url, exitCode !== 0]);
  }
});
