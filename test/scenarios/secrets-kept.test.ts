import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import Docker from 'dockerode';
import { describe, expect, it } from 'vitest';
import { connect } from '../../scripts/engine/connect.ts';
import { stackLabel } from '../../scripts/engine/labels.ts';
import { configWriterRoot, names } from '../../scripts/state/names.ts';
import { foundIn, type Planted, plant, planted } from '../support/planted.ts';
import { type Run, type StackFolder, stackFolder, toRun } from '../support/stack-folder.ts';

const byEnv = plant('ENV_SECRET');
const byFile = plant('FILE_SECRET');
const inline = plant('INLINE_SECRET');
const ofScrapes = plant('SCRAPE_SECRET');
const grafana = plant('GRAFANA_SECRET');
const url = planted('URL_SECRET', `http://127.0.0.1:9/${plant('URL').text.slice(0, 18)}`);
const all: readonly Planted[] = [byEnv, byFile, inline, ofScrapes, grafana, url];
const env = Object.fromEntries([byEnv, inline, ofScrapes, grafana, url].map(({ name, text }) => [name, text]));

const stackFile = (stack: StackFolder, more: { receiver?: string; grafana?: boolean } = {}): string => `
name: ${stack.name}
images: {source: auto}
pushgateway: {port: ${stack.ports.pushgateway}}
prometheus:
  port: ${stack.ports.prometheus}
  scrape_configs:
    - job_name: guarded
      basic_auth: {username: me, password: !env SCRAPE_SECRET}
      http_headers: {X-Key: {secrets: [!env ENV_SECRET]}}
      static_configs: [{targets: ['localhost:9090']}]
alertmanager:
  port: ${stack.ports.alertmanager}
  route: {receiver: hook, routes: [{receiver: ${more.receiver === undefined ? 'topic' : 'chat'}, matchers: ['to="other"']}]}
  receivers:
    - name: hook
      webhook_configs:
        - url: !env URL_SECRET
          http_config: {authorization: {credentials: !file keys/hook}}
    - name: topic
      sns_configs:
        - topic_arn: arn:aws:sns:eu-west-1:123456789012:alerts
          sigv4: {region: eu-west-1, access_key: A, secret_key: !env {name: INLINE_SECRET, inline: true}}
${more.receiver ?? ''}
grafana: {enabled: ${more.grafana === true}, port: ${stack.ports.grafana}, admin_password: !env GRAFANA_SECRET}
sink: {enabled: false}
`;

/** A key that no program knows, right beside a secret. */
const unknownKey = `
    - name: chat
      slack_configs: [{api_url: !env URL_SECRET, no_such_key: 1}]`;
/** Go tells how a text begins that is no boolean. */
const wrongType = `
    - name: chat
      webhook_configs: [{url: 'http://127.0.0.1:9', send_resolved: !env {name: INLINE_SECRET, inline: true}}]`;
/** amtool does not open the file; the server does, and refuses. */
const refusedByServer = `
    - name: chat
      webhook_configs:
        - url: !env URL_SECRET
          http_config: {tls_config: {ca: !env ENV_SECRET}}`;

describe('a secret', () => {
  it('must be only in its own file, or in the file in which it is inline', {
    timeout: 240_000,
  }, async () => {
    await using stack = await stackFolder();
    const cache = join(stack.path, 'cache');
    await stack.write('keys/hook', `${byFile.text}\n`);
    const run = async (args: readonly string[], exitCode: number): Promise<Run> => {
      const done = toRun(await stack.start(args, { ...env, XDG_CACHE_HOME: cache }));
      const what = `promstack ${args.join(' ')}`;
      expect.soft(foundIn(done.stdout + done.stderr, all), what).toEqual([]);
      expect(done.exitCode, `${what}\n${done.stdout}${done.stderr}`).toBe(exitCode);
      return done;
    };

    await stack.write('stack.yml', stackFile(stack, { grafana: true }));
    await run(['render', '--json'], 0);
    await run(['render', '--out', 'rendered'], 0);

    await stack.write('stack.yml', stackFile(stack));
    await run(['check', '--json', '--verbose'], 0);
    await run(['plan', '--json'], 0);
    await run(['up', '--verbose'], 0);
    await run(['up', '--json'], 0);

    await stack.write('stack.yml', stackFile(stack, { receiver: unknownKey }));
    const unknown = await run(['check', '--verbose'], 2);
    expect(unknown.stderr).toContain('no_such_key');
    await stack.write('stack.yml', stackFile(stack, { receiver: wrongType }));
    const wrong = await run(['reload', '--verbose'], 2);
    expect(wrong.stderr).toContain('[secret]');
    await stack.write('stack.yml', stackFile(stack, { receiver: refusedByServer }));
    await run(['plan', '--verbose'], 0);
    const refused = await run(['reload', '--verbose', '--json'], 1);
    expect(refused.stderr + refused.stdout).toContain('rolled back');

    await stack.write('stack.yml', stackFile(stack));
    for (const args of [['status'], ['status', '--json'], ['history', '--json'], ['logs'], ['logs', '--json']])
      await run(args, 0);

    expect(await findOnHost(stack.path)).toEqual(['keys/hook']);
    expect(await findInInspect(stack.name)).toEqual([]);
    expect(await findInVolumes(stack.name)).toEqual(
      expect.arrayContaining([
        'alertmanager/releases/N/alertmanager.yml 400 65534',
        'alertmanager/releases/N/secrets/env/URL_SECRET 400 65534',
        'alertmanager/releases/N/secrets/file/keys__hook 400 65534',
        expect.stringMatching(/^prometheus\/releases\/N\/secrets\/env\/ENV_SECRET-\w{4} 400 65534$/),
        expect.stringMatching(/^prometheus\/releases\/N\/secrets\/env\/SCRAPE_SECRET-\w{4} 400 65534$/),
      ]),
    );
    for (const place of await findInVolumes(stack.name)) {
      expect(place).toMatch(/^\w+\/(?:releases\/N|check)\/(?:secrets\/.*|alertmanager\.yml) 400 65534$/);
    }
  });

  it('must not be needed by commands that only look, nor to go back', { timeout: 120_000 }, async () => {
    await using stack = await stackFolder();
    await stack.write('stack.yml', stackFile(stack));
    await stack.write('keys/hook', byFile.text);
    const up = toRun(await stack.start(['up'], env));
    expect(up.exitCode, up.stderr).toBe(0);
    await rm(join(stack.path, 'keys'), { recursive: true });
    /** Without any of the secrets; the diagnostics are what could not be compared. */
    const look = async (args: readonly string[], exitCode: number): Promise<Run> => {
      const done = toRun(await stack.start(args));
      expect.soft(foundIn(done.stdout + done.stderr, all), args.join(' ')).toEqual([]);
      expect(done.exitCode, `promstack ${args.join(' ')}\n${done.stdout}${done.stderr}`).toBe(exitCode);
      return done;
    };
    const notCompared = ({ stderr }: Run): readonly string[] =>
      [...new Set([...stderr.matchAll(/whether (!\w+ \S+) has changed since it was applied was not compared/g)])]
        .map(([, origin = '']) => origin)
        .sort();
    const secrets = ['!env ENV_SECRET', '!env GRAFANA_SECRET', '!env INLINE_SECRET', '!env SCRAPE_SECRET'];
    const expected = [...secrets, '!env URL_SECRET', '!file keys/hook'];

    expect(notCompared(await look(['status'], 0))).toEqual(expected);
    expect(notCompared(await look(['plan', '--detailed-exitcode'], 0))).toEqual(expected);
    expect((await look(['alert', 'test', '--label', 'to=other'], 0)).stdout).toContain('topic is notified via sns');
    expect((await look(['verify'], 0)).stdout).toContain('the pipeline works');

    const edited = stackFile(stack).replace('to="other"', 'to="another"');
    await stack.write('stack.yml', edited);
    const { stdout } = await look(['plan', '--detailed-exitcode'], 3);
    const diff = stdout.split('\n').filter((line) => /^[-+] /.test(line));
    expect(diff.map((line) => line.replace(/^([-+]) .*to=\\?"(\w+).*/, '$1 $2'))).toEqual(['- other', '+ another']);

    await stack.write('keys/hook', byFile.text);
    const again = toRun(await stack.start(['up'], env));
    expect(again.exitCode, again.stderr).toBe(0);
    await rm(join(stack.path, 'keys'), { recursive: true });
    expect((await look(['rollback'], 0)).stdout).toContain('alertmanager  reloaded');
    await look(['check'], 2);
  });
});

/** The files below a folder that contain any of the planted secrets. */
async function findOnHost(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const texts = await Promise.all(files.map(async (file) => ({ file, text: await readFile(file, 'utf8') })));
  return texts
    .filter(({ file, text }) => foundIn(file + text, all).length > 0)
    .map(({ file }) => file.slice(folder.length + 1));
}

/** What of the planted the engine shows of the stack's containers, volumes and networks. */
async function findInInspect(stack: string): Promise<readonly string[]> {
  const docker = new Docker();
  const filters = JSON.stringify({ label: [`${stackLabel}=${stack}`] });
  const containers = await docker.listContainers({ all: true, filters });
  const inspected = await Promise.all(containers.map(({ Id }) => docker.getContainer(Id).inspect()));
  const rest = [await docker.listVolumes({ filters }), await docker.listNetworks({ filters })];
  expect(inspected.length).toBeGreaterThan(3);
  return foundIn(JSON.stringify([...inspected, ...rest]), all);
}

/** Every file of the config volumes that holds something of what was planted, with its mode and owner; the release's folder is `N`. */
async function findInVolumes(stack: string): Promise<readonly string[]> {
  await using engine = await connect({ env: process.env });
  const entries = await engine.getFiles(names.configWriter(stack), configWriterRoot);
  const found = (entries ?? []).flatMap((entry) => {
    if (entry.kind !== 'file' || foundIn(entry.content.toString('utf8'), all).length === 0) return [];
    const path = entry.path.replace(/^[^/]*\//, '').replace(/releases\/[^/]+\/[0-9a-f]+\//, 'releases/N/');
    return [`${path} ${entry.mode.toString(8)} ${entry.uid}`];
  });
  return [...new Set(found)].sort();
}
