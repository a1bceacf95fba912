import { afterEach, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { renderStack } from '../../../scripts/render/render-stack.ts';
import { toBytes } from '../../../scripts/util/file-bytes.ts';
import { forgetSecrets } from '../../../scripts/util/redaction.ts';
import { folderWith } from '../../support/config.ts';
import { contentAt, exportOf, filesIn, type Json, objectsIn } from '../../support/kubernetes-export.ts';
import { problemsOf } from '../../support/kubernetes-objects.ts';
import { foundIn, type Planted, planted } from '../../support/planted.ts';

/** A stack with a secret in each place that takes one: as a variable, or as text in stack.yml. */
function secretStack(
  secret: (at: string) => string,
  url: (at: string) => string,
  text: (at: string) => string,
): string {
  return `
name: shop
labels: {dsn: ${url('label')}}
access: {users: {ann: ${secret('access')}}}
heartbeat: {url: ${secret('heartbeat')}, every: 5m}
prometheus:
  scrape_configs:
    - {job_name: basic, basic_auth: {username: u, password: ${secret('job')}}, static_configs: [{targets: [a:1]}]}
    - {job_name: token, authorization: {credentials: ${secret('token')}}, static_configs: [{targets: [a:1]}]}
    - job_name: oauth
      oauth2: {client_id: c, client_secret: ${secret('oauth')}, token_url: "https://a.example"}
      static_configs: [{targets: [a:1]}]
    - {job_name: discovery, http_sd_configs: [{url: "https://a.example", basic_auth: {username: u, password: ${secret('sd')}}}]}
  alerting:
    alertmanagers:
      - {static_configs: [{targets: [b:1]}], basic_auth: {username: u, password: ${secret('alertmanagers')}}}
  remote_write:
    - {url: ${url('write')}, basic_auth: {username: u, password: ${secret('write')}}}
    - {url: "https://w.example/w", http_headers: {X-Token: {secrets: [${secret('header')}]}}}
  remote_read:
    - {url: "https://r.example/r", authorization: {credentials: ${secret('read')}}}
alertmanager:
  global: {smtp_smarthost: "mail:25", smtp_from: a@b.example, smtp_auth_username: u, smtp_auth_password: ${secret('smtp')}}
  route: {receiver: all}
  receivers:
    - name: all
      slack_configs: [{api_url: ${secret('slack')}, channel: c}]
      webhook_configs: [{url: ${url('webhook')}}]
      pagerduty_configs: [{routing_key: ${secret('pagerduty')}}]
      opsgenie_configs: [{api_key: ${secret('opsgenie')}}]
grafana:
  admin_password: ${secret('admin')}
  smtp: {host: "mail:25", from_address: a@b.example, user: u, password: ${secret('mail')}}
  datasources:
    - {name: Loki, uid: loki, type: loki, url: "http://loki", secureJsonData: {httpHeaderValue1: ${secret('datasource')}}}
exporters:
  redis: {address: cache, password: ${secret('redis')}}
  blackbox: {m: ["https://a.example"], modules: {m: {prober: http, http: {basic_auth: {username: u, password: ${secret('probe')}}}}}}
  custom: {queue: {image: "a:1", port: 1, args: ["--url=http://u:${text('argument')}@a"], env: {API_TOKEN: ${text('variable')}}, files: {token: ${secret('custom')}}}}
`;
}

/** A stack.yml with secrets of the test, and the variables that it names. */
function plantedStack(hasVariables: boolean) {
  const all: Planted[] = [];
  const env: Record<string, string> = {};
  const newText = (at: string): string => {
    const text = `k7x${hasVariables ? 'v' : 't'}${all.length}Qplantedz9`;
    all.push(planted(at, text));
    return at === 'heartbeat' || at === 'slack' ? `https://h.example/${text}` : text;
  };
  const newSecret = (at: string): string => {
    const text = newText(at);
    if (!hasVariables) return text;
    env[`S${all.length}`] = text;
    return `!env S${all.length}`;
  };
  const text = secretStack(newSecret, (at) => `"https://u:${newText(at)}@a.example/p"`, newText);
  return { text, all, env };
}

describe('secrets', () => {
  // A word that is a secret here is none in other tests.
  afterEach(forgetSecrets);

  it.each([
    ['of variables', 'with the operator', true, false],
    ['of variables', 'plain', true, true],
    ['in stack.yml', 'with the operator', false, false],
    ['in stack.yml', 'plain', false, true],
  ])('%s must be in Secret manifests only, %s', async (_, __, hasVariables, isPlain) => {
    const { text, all, env } = plantedStack(hasVariables);
    await using folder = await folderWith({ 'stack.yml': text });
    const loaded = await renderStack({ cwd: folder.path, env });
    if (!loaded.ok || !loaded.value.rendering.ok) throw new Error(JSON.stringify(loaded));
    for (const withSecrets of [true, false]) {
      const exported = await exportOf(loaded.value.rendering.value, isPlain, withSecrets);
      const objects = objectsIn(exported);
      expect(objects.flatMap(problemsOf)).toEqual([]);
      const open = exported.files.filter(({ path }) => !path.startsWith('secrets/'));
      const leaks = open.flatMap(({ path, content }) =>
        foundIn(content.toString('utf8'), all).map((leak) => `${path}: ${leak}`),
      );
      expect(leaks).toEqual([]);
      expect(foundIn(JSON.stringify(exported.findings), all)).toEqual([]);
      const stored = objects.flatMap(({ kind, data }) =>
        kind === 'Secret'
          ? Object.values(data as object).map((value) => Buffer.from(value, 'base64').toString('utf8'))
          : [],
      );
      const missing = all.filter((secret) => !stored.some((content) => content.includes(secret.text)));
      // Labels hold no secret; the operator takes no password in a URL and no secret header. The report says so.
      const withoutPlace = isPlain ? ['label'] : ['label', 'write', 'header'];
      const names = all.map(({ name }) => name).filter((name) => !withoutPlace.includes(name));
      const missingNames = missing.map(({ name }) => name).filter((name) => !withoutPlace.includes(name));
      expect(missingNames).toEqual(withSecrets ? [] : names);
    }
  });

  it('of a job and of remote storage must be where the operator takes them, or be named', async () => {
    const text = `
name: shop
prometheus:
  scrape_configs:
    - {job_name: query, params: {token: [of-query-7q]}, basic_auth: {username: u, password: of-basic-7q}, static_configs: [{targets: [a:1]}]}
    - {job_name: proxy, proxy_url: "http://u:of-proxy-7q@p:1", static_configs: [{targets: [a:1]}]}
  remote_write:
    - {url: "https://me:of-url%407q@w.example/w"}
    - {url: "https://w.example/w?api_key=of-param-7q"}
    - {url: "https://w.example/w", proxy_url: "http://u:of-proxy-7q@p:1"}
`;
    await using folder = await folderWith({ 'stack.yml': text });
    const loaded = await renderStack({ cwd: folder.path, env: {} });
    if (!loaded.ok || !loaded.value.rendering.ok) throw new Error(JSON.stringify(loaded));
    const { findings, ...exported } = await exportOf(loaded.value.rendering.value, false);
    const objects = objectsIn({ findings, ...exported }) as Json[];
    expect(objects.flatMap(problemsOf)).toEqual([]);
    const value = (name: string, key: string) => contentAt(objects, 'Secret', name, key).toString('utf8');
    const jobs = parse(value('prometheus-secret-values', 'additional-scrape-configs.yaml'));
    expect(jobs).toMatchObject([
      { job_name: 'query', params: { token: ['of-query-7q'] } },
      { job_name: 'proxy', proxy_url: 'http://u:of-proxy-7q@p:1' },
    ]);
    const { remoteWrite } = objects.find(({ kind }) => kind === 'Prometheus').spec;
    const [login, withoutProxy] = remoteWrite;
    expect(remoteWrite).toHaveLength(2);
    expect(login.url).toBe('https://w.example/w');
    expect(value(login.basicAuth.username.name, login.basicAuth.username.key)).toBe('me');
    expect(value(login.basicAuth.password.name, login.basicAuth.password.key)).toBe('of-url@7q');
    expect(withoutProxy).toEqual({ url: 'https://w.example/w' });
    // A job that is in a Secret as a whole has no other keys of Secrets, which somebody would have to make.
    const keys = exported.secrets.flatMap(({ entries }) => entries.map(({ key }) => key));
    expect(keys.filter((key) => key.startsWith('job.query'))).toEqual([]);
    const left = findings.filter(({ fate }) => fate === 'left').map(({ what }) => what);
    expect(left).toEqual(
      expect.arrayContaining([
        'remote_write.1 of prometheus.yml',
        'remote_write.2.proxy_url with a secret of prometheus.yml',
      ]),
    );
  });

  it('that is a word of a config must not change it', async () => {
    const text = 'name: a\ngrafana: {admin_password: metrics}\n';
    await using folder = await folderWith({ 'stack.yml': text });
    const loaded = await renderStack({ cwd: folder.path, env: {} });
    if (!loaded.ok || !loaded.value.rendering.ok) throw new Error(JSON.stringify(loaded));
    const rendering = loaded.value.rendering.value;
    const objects = objectsIn(await exportOf(rendering, true)) as Json[];
    const pod = objects.find(({ kind, metadata }) => kind === 'StatefulSet' && metadata.name === 'prometheus').spec
      .template;
    const mounted = filesIn(
      objects,
      pod.spec.volumes.find(({ name }: Json) => name === 'config'),
    );
    for (const file of rendering.services.find(({ service }) => service.name === 'prometheus')?.files ?? []) {
      expect(mounted.get(file.path)?.equals(toBytes(file)), file.path).toBe(true);
    }
  });
});
