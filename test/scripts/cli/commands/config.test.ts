import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { folderWith } from '../../../support/config.ts';
import { runInProcess } from '../../../support/test-process.ts';

const files = {
  'stack.yml': `name: shop
prometheus:
  external_labels: {site: fra1, "yes": 010}
  scrape_configs:
    - job_name: api
      basic_auth: {username: u, password: admin}
      static_configs: [{targets: ["http://u:planted-pw@a:1"]}]
alertmanager:
  receivers:
    - name: slack
      slack_configs:
        - api_url: !env SLACK_URL
          title: !env {name: TITLE, inline: true}
          text: |
            two
            lines
sink:
`,
  'prod.yml': `prometheus:
  external_labels: {site: prod}
  scrape_configs: !append
    - {job_name: extra, static_configs: []}
`,
  '.env': 'SLACK_URL=https://hooks.example.com/planted\n',
};
const args = ['config', '-f', 'stack.yml', '-f', 'prod.yml'];

test('config must print the merged stack with the origin of each value, and no secret', async () => {
  await using folder = await folderWith(files);
  const env = { TITLE: 'planted-title', PROMSTACK_NAME: 'stage' };
  const { exitCode, stdout, stderr } = await runInProcess(folder.path, args, { env });
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  expect(stdout).toBe(`name: stage                                        # PROMSTACK_NAME, environment
prometheus:
  external_labels:
    site: prod                                     # prod.yml:2
    'yes': 010                                     # stack.yml:3
  scrape_configs:
    - job_name: api                                # stack.yml:5
      basic_auth:
        username: u                                # stack.yml:6
        password: '[secret]'                       # stack.yml:6
      static_configs:
        - targets:
            - 'http://u:[secret]@a:1'              # stack.yml:7
    - job_name: extra                              # prod.yml:4
      static_configs: []                           # prod.yml:4
alertmanager:
  receivers:
    - name: slack                                  # stack.yml:10
      slack_configs:
        - api_url: !env SLACK_URL                  # stack.yml:12, .env:1
          title: !env {name: TITLE, inline: true}  # stack.yml:13, environment
          text: |                                  # stack.yml:14
            two
            lines
sink: null                                         # stack.yml:17
`);
});

test('config --json must have the places of the values', async () => {
  await using folder = await folderWith(files);
  const { stdout } = await runInProcess(folder.path, [...args, '--json']);
  expect(stdout).not.toContain('planted');
  const { stack, config, origins } = JSON.parse(stdout) as Record<string, unknown> & { origins: unknown[] };
  expect(stack).toBe('shop');
  expect(config).toMatchObject({
    prometheus: { external_labels: { site: 'prod', yes: '010' } },
    alertmanager: { receivers: [{ slack_configs: [{ api_url: '!env SLACK_URL', text: 'two\nlines\n' }] }] },
  });
  expect(origins).toContainEqual({ path: 'prometheus.external_labels.site', file: 'prod.yml', line: 2 });
  expect(origins).toContainEqual({
    path: 'alertmanager.receivers[0].slack_configs[0].api_url',
    file: 'stack.yml',
    line: 12,
    setIn: '.env:1',
  });
});

test.each([
  ['', '{}  # stack.yml:1\n'],
  ['x-a: {}\nb: []\n"c d": [[1, [2]], {e: {f: g}}]\n', undefined],
])('config must print YAML with the same value: %j', async (text, printed) => {
  await using folder = await folderWith({ 'stack.yml': text });
  const { stdout } = await runInProcess(folder.path, ['config']);
  expect(parse(stdout)).toEqual(parse(text) ?? {});
  if (printed !== undefined) expect(stdout).toBe(printed);
});

test.each([
  [
    { 'stack.yml': 'x-a: {b: 1}', 'prod.yml': 'x-a: [1]' },
    'prod.yml:1:6 a list cannot be merged into the mapping of stack.yml',
  ],
  [{ 'stack.yml': 'x-a: 1', 'prod.yml': 'x-a: [1' }, 'prod.yml:1:6 this [ is never closed'],
  [{ 'stack.yml': 'x-a: 1', 'prod.yml': '', '.env': 'planted' }, '.env:1:1 this line is not an assignment'],
])('config must report mistakes in merging: %j', async (mistaken, message) => {
  await using folder = await folderWith(mistaken);
  const { exitCode, stdout, stderr } = await runInProcess(folder.path, args);
  expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
  expect(stderr).toContain(`✖ ${message}\n`);
  expect(stderr).not.toContain('planted');
});

// A file of secrets that was named by mistake, or a stack file that it was taken for.
test.each([
  ['token', 'planted\n'],
  ['my.env', 'A=1\nPASSWORD=planted\n'],
  ['key.pem', '-----BEGIN PRIVATE KEY-----\nplanted==\n-----END PRIVATE KEY-----\n'],
  ['list.yml', '- planted\n- more\n'],
  ['htpasswd', 'admin:planted\njo:planted\n'],
  ['secrets.yml', 'slack: planted\ndb: planted\n'],
  ['services.yml', 'grafana: planted\nalertmanager: planted\n'],
  ['broken.yml', 'slack: [planted\n'],
  ['broken.json', '{"slack": "planted", planted'],
  ['tagged.yml', '!planted x: y\n'],
  ['alias.yml', 'a: *planted\n'],
  ['twice.yml', 'planted: 1\nplanted: 2\n'],
])('nothing of a file that is not a stack may be printed: %s', async (name, text) => {
  await using folder = await folderWith({ [name]: text, 'stack.yml': 'prometheus: {}\n' });
  for (const command of [
    ['config', '-f', name],
    ['check', '-f', name],
    ['check', '-f', 'stack.yml', '-f', name],
    ['config', '-f', 'stack.yml', '-f', name, '--json'],
    ['diff', name, 'stack.yml'],
    ['diff', 'stack.yml', name, '--json'],
    ['fix', '-f', name],
  ]) {
    const { exitCode, stdout, stderr } = await runInProcess(folder.path, command);
    expect([command, exitCode]).toEqual([command, 2]);
    expect(stdout + stderr).toContain(`${name} is not a stack file`);
    expect(stdout + stderr).not.toContain('planted');
  }
});
