import { symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { folderWith } from '../../support/config.ts';
import { type Files, imported, importedFrom } from '../../support/imported.ts';

const config = 'scrape_configs: [{job_name: a, static_configs: [{targets: ["a:1"]}]}]\n';
const compose = (service: string): string =>
  `services:\n  p: {image: 'prom/prometheus:v3.5.3', volumes: ['./prometheus.yml:/etc/prometheus/prometheus.yml']}\n  q: ${service}\n`;

describe('a main file that is not what its name says must be reported, also in a folder', () => {
  test.each<[string, Files, string]>([
    [
      'UTF-16',
      { 'prometheus.yml': Buffer.from(`\uFEFF${config}`, 'utf16le') },
      'prometheus.yml:1: prometheus.yml is not UTF-8 text',
    ],
    [
      'a program',
      { 'alertmanager.yml': Buffer.from([127, 69, 76, 70, 0, 1]), 'prometheus.yml': config },
      'alertmanager.yml:1: alertmanager.yml is not UTF-8 text',
    ],
    [
      'a list of jobs without a list',
      { 'prometheus.yml': 'scrape_configs: 5\n' },
      'prometheus.yml:1: scrape_configs of prometheus.yml is not a list',
    ],
    [
      'rule files by name',
      { 'prometheus.yml': `${config}rule_files: {a: b}\n` },
      'prometheus.yml:2: rule_files of prometheus.yml is not a list',
    ],
    [
      'a global list',
      { 'prometheus.yml': `${config}global: [a]\n` },
      'prometheus.yml:2: global of prometheus.yml is not a mapping',
    ],
    [
      'alerting as a word',
      { 'prometheus.yml': `${config}alerting: x\n` },
      'prometheus.yml:2: alerting of prometheus.yml is not a mapping',
    ],
    [
      'receivers by name',
      { 'alertmanager.yml': 'route: {receiver: a}\nreceivers: {a: {}}\n' },
      'alertmanager.yml:2: receivers of alertmanager.yml is not a list',
    ],
    [
      'ports by name',
      { 'prometheus.yml': config, 'compose.yaml': compose('{image: a, ports: {a: b}}') },
      'compose.yaml:3: ports of the service q is not a list',
    ],
    [
      'volumes as a number',
      { 'prometheus.yml': config, 'compose.yaml': compose('{image: a, volumes: 7}') },
      'compose.yaml:3: volumes of the service q is not a list',
    ],
    [
      'an image as a list',
      { 'prometheus.yml': config, 'compose.yaml': compose('{image: [a]}') },
      'compose.yaml:3: image of the service q is not a string',
    ],
  ])('%s', async (_, files, error) => {
    expect((await importedFrom(files)).errors).toContain(error);
  });

  test('a large file that a config names too must be reported once', async () => {
    const { errors } = await importedFrom({
      'prometheus.yml': `rule_files: [a.yml]\n${config}`,
      'a.yml': Buffer.alloc(9e6, '#'),
    });
    expect(errors).toEqual(['a.yml:1: a.yml is larger than 8 MiB']);
  });

  test('an empty file beside others must be named, and alone be an error', async () => {
    const { draft, errors } = await importedFrom({ 'prometheus.yml': config, 'alertmanager.yml': '' });
    expect(errors).toEqual([]);
    expect(draft.findings.all).toContainEqual(expect.objectContaining({ fate: 'left', what: 'alertmanager.yml' }));
    const alone = await importedFrom({ 'prometheus.yml': '\n' }, { paths: ['prometheus.yml'] });
    expect(alone.errors).toContain('prometheus.yml:1: prometheus.yml is empty');
  });
});

test('line ends of Windows and a byte order mark must make no difference', async () => {
  const files = (change: (text: string) => string): Files => ({
    'prometheus.yml': change(`# All.\nrule_files: [a.yml]\n${config}`),
    'a.yml': 'groups: []\n',
    'alertmanager.yml': change('route:\n  receiver: a # everybody\nreceivers:\n  - name: a\n'),
    'compose.yaml': change(
      'services:\n  p:\n    image: prom/prometheus:v3.5.3\n    volumes: [".:/etc/prometheus"]\n  am: {image: "prom/alertmanager:v0.33.1", volumes: [".:/etc/alertmanager"]}\n',
    ),
  });
  const { text } = await importedFrom(files((own) => own));
  const windows = await importedFrom(files((own) => own.replaceAll('\n', '\r\n')));
  const marked = await importedFrom(files((own) => `\uFEFF${own}`));
  expect(windows).toMatchObject({ text, errors: [] });
  expect(marked).toMatchObject({ text, errors: [] });
});

test('links must be followed, each folder once', async () => {
  await using folder = await folderWith({
    'conf/prom.yml': config,
    'stack/readme.txt': '',
    'elsewhere/rules.yml': 'groups: []\n',
  });
  await symlink('../conf/prom.yml', join(folder.path, 'stack/prometheus.yml'));
  await symlink('..', join(folder.path, 'stack/up'));
  await symlink('missing', join(folder.path, 'stack/broken.yml'));
  const { text } = await imported(folder.path, { paths: ['stack'], name: 'shop' });
  expect(text).toContain('job_name: a');
});
