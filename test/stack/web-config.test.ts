import { expect, test } from 'vitest';
import type { RenderedFile } from '../../stack/model.ts';
import { webConfigChecks, webConfigProblems } from '../../stack/values/web-config.ts';

const file = (content: string): RenderedFile => ({
  service: 'prometheus',
  path: 'web.yml',
  content,
  mode: 0o444,
  origin: 'templates/prometheus/web.yml',
});
const path = '/etc/promstack/current/web.yml';
const problems = (content: string, args: readonly string[] = [`--web.config.file=${path}`]): readonly string[] =>
  webConfigProblems(args, [file(content)]).map(({ path: at, message }) => `${at.join('.')}: ${message}`);

test.each([
  ['basic_auth_users: {ann: $2y$10$x}\n', 'basic_auth_users: a server that asks for a login cannot be used'],
  ['tls_server_config: {cert_file: a, key_file: b}\n', 'tls_server_config: a server that uses TLS cannot be used'],
])('a web config with %j must be refused, with the reason', (content, problem) => {
  expect(problems(content)).toEqual([expect.stringContaining(problem)]);
  expect(problems(content, ['--web.config.file', path])).toHaveLength(1);
  expect(problems(content, ['--log.level=debug'])).toEqual([]);
});

test.each(['', 'basic_auth_users: {}\n', 'http_server_config: {http2: false}\n', 'a: [\n'])(
  'a web config that anybody gets past must be accepted: %j',
  (content) => {
    expect(problems(content)).toEqual([]);
  },
);

const alertmanager = (extra: readonly string[], image = 'prom/alertmanager:v0.33.1') => {
  const own = ['--config.file=/etc/promstack/current/alertmanager.yml', '--web.listen-address=:9093'];
  const server = {
    service: 'alertmanager',
    title: 'Alertmanager',
    program: 'alertmanager',
    image,
    started: /Listening on/,
  };
  return webConfigChecks({ ...server, args: [...own, ...extra], extra }, [file('')])[0];
};
const listening = 'time=1 level=INFO msg="Listening on" address=127.0.0.1:39819\n';
const refused = (error: string) => `${listening}time=1 level=ERROR msg="Listen error" err="${error}"\n`;

test('a server must try its web config while it listens for nobody', () => {
  expect(alertmanager([`--web.config.file=${path}`])?.argv).toEqual([
    ...['timeout', '2', 'alertmanager', '--config.file=CONFIG/alertmanager.yml', '--web.listen-address=127.0.0.1:0'],
    '--web.config.file=CONFIG/web.yml',
  ]);
  expect(alertmanager(['--log.level=debug'])).toBeUndefined();
  expect(alertmanager(['--web.config.file='])).toBeUndefined();
  expect(alertmanager([`--web.config.file=${path}`], 'prom/alertmanager:v0.33.1-distroless')).toBeUndefined();
});

test.each([
  [`${listening}level=INFO msg="TLS is disabled." http2=false\nlevel=ERROR err="problem shutting down"`, true],
  ['level=ERROR msg="error loading configuration file" err="that another check reports"', true],
  [refused('yaml: line 1: did not find expected node content'), false],
])('whether the server takes it must be read from its log: %j', (output, isTaken) => {
  expect(alertmanager([`--web.config.file=${path}`])?.passes?.(output)).toBe(isTaken);
});

test.each([
  [
    'yaml: unmarshal errors:\\n  line 1: field route not found in type web.Config\\n  line 3: cannot unmarshal !!str `a` into int',
    [
      { path: 'web.yml', line: 1, about: 'route', message: 'unknown key "route"' },
      { path: 'web.yml', line: 3, about: 'a', message: 'expected a number, got a string (a)' },
    ],
  ],
  [
    'HTTP header \\"X-Foo\\" can not be configured',
    [{ path: 'web.yml', about: 'X-Foo', message: 'HTTP header "X-Foo" can not be configured' }],
  ],
  [
    'open /etc/promstack/current/nope.yml: no such file or directory',
    [
      {
        key: ['alertmanager', 'extra_args', 1],
        message: 'Alertmanager cannot read the file: open /etc/promstack/current/nope.yml: no such file or directory',
        hint: 'write "files: [web.yml]" under alertmanager, and the file web.yml beside stack.yml is /etc/promstack/current/web.yml in the container',
      },
    ],
    '/etc/promstack/current/nope.yml',
  ],
  [
    'yaml: unmarshal errors:\\n  line 1: cannot unmarshal !!str `root:x:...` into web.Config',
    [expect.objectContaining({ key: ['alertmanager', 'extra_args', 1] })],
    '/etc/passwd',
  ],
])('a web config that is refused must be explained at its place: %s', (error, findings, named = path) => {
  const flags = ['--web.config.file', named];
  expect(alertmanager(flags)?.explain(refused(error))).toEqual(findings);
});
