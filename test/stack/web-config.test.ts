import { expect, test } from 'vitest';
import type { RenderedFile } from '../../stack/model.ts';
import { webConfigProblems } from '../../stack/values/web-config.ts';

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
