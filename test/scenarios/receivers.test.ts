import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { packageRoot } from '../../scripts/util/package-root.ts';
import { receiverKeys } from '../../stack/alertmanager/problems.ts';
import { eventually } from '../support/eventually.ts';
import { isFull } from '../support/shares.ts';
import { stackFolder, toRun } from '../support/stack-folder.ts';

/** The uncommented example of every receiver in the stack.yml of `init`; the files of the examples do not exist. */
const examples = (() => {
  const written = readFileSync(join(packageRoot(), 'templates', 'init', 'full.yml'), 'utf8');
  const [, section = ''] = /^#alertmanager:\n(.*?)^# ---/ms.exec(written) ?? [];
  const inForce = section.replaceAll(/^( *)#(?=[^\s#])/gm, '$1');
  return inForce.replace(/^ {2}templates:\n(?: {4}.*\n)+/m, '').replace(/^ {2}port: .*\n/m, '');
})();

const env = Object.fromEntries(
  [...examples.matchAll(/!env (?:\{name: )?(\w+)/g)].map(([, name = '']) => [
    name,
    name.endsWith('_URL') ? `https://example.com/planted-path/${name}` : `planted-${name}`,
  ]),
);

describe('receivers', () => {
  it('must be in the stack.yml of init for every type, and pass the check', async () => {
    for (const key of receiverKeys.filter((name) => name.endsWith('_configs'))) {
      expect.soft(examples, key).toContain(`      ${key}:\n`);
    }
    await using stack = await stackFolder();
    await stack.write(
      'stack.yml',
      `name: ${stack.name}\nimages: {source: auto}\ngrafana: {enabled: false}\nalertmanager:\n  port: ${stack.ports.alertmanager}\n${examples}`,
    );
    const checked = toRun(await stack.start(['check'], env));
    expect(checked.exitCode, checked.stderr).toBe(0);

    const rendered = toRun(await stack.start(['render', 'alertmanager/alertmanager.yml'], env)).stdout;
    expect(rendered).not.toContain('planted-');
    // Of all of them Amazon's key alone has to stand in the config itself; the address of a webhook may.
    expect(
      rendered
        .match(/.*\[secret\].*/g)
        ?.map((line) => line.trim())
        .toSorted(),
    ).toEqual(["- url: 'http://host.docker.internal:8080/[secret]'", "secret_key: '[secret]'"]);
  });

  it('must support custom formats by the payload of the webhook', async () => {
    const bodies: unknown[] = [];
    let status = 200;
    const robot = createServer((request, answer) => {
      answer.statusCode = status;
      request.setEncoding('utf8');
      let body = '';
      request.on('data', (part: string) => (body += part));
      request.once('end', () => {
        bodies.push(JSON.parse(body));
        answer.end('{}');
      });
    });
    await new Promise<void>((resolve) => robot.listen(0, '0.0.0.0', resolve));
    try {
      await using stack = await stackFolder();
      const { port } = robot.address() as AddressInfo;
      const [, dingtalk = ''] = /^ {4}- name: dingtalk\n(.*?)^ {4}- name:/ms.exec(examples) ?? [];
      await stack.write(
        'stack.yml',
        `name: ${stack.name}
images: {source: auto}
pushgateway: {enabled: false}
prometheus: {enabled: false}
grafana: {enabled: false}
alertmanager:
  port: ${stack.ports.alertmanager}
  route: {receiver: dingtalk, group_wait: 100ms, group_by: [alertname]}
  receivers:
    - name: dingtalk
${dingtalk}`,
      );
      const robotUrl = `http://host.docker.internal:${port}/robot/send?access_token=a`;
      const up = toRun(await stack.start(['up'], { DINGTALK_ROBOT_URL: robotUrl }));
      expect(up.exitCode, up.stderr).toBe(0);
      const alerts = [{ labels: { alertname: 'Quoted', note: 'a "word"' } }];
      await fetch(stack.url('alertmanager', '/api/v2/alerts'), {
        method: 'POST',
        body: JSON.stringify(alerts),
        headers: { 'content-type': 'application/json' },
      });
      await eventually(() =>
        expect(bodies).toContainEqual({
          msgtype: 'markdown',
          markdown: { title: expect.stringMatching(/^alert: .*Quoted/), text: expect.stringContaining('a "word"') },
        }),
      );

      // The running Alertmanager has no part in a test of the receiver, whose URL is only on the engine now.
      const tested = await stack.run('verify', '--receiver', 'dingtalk', '--json');
      const result = { receiver: 'dingtalk', integration: 'webhook[0]', outcome: 'delivered', resolution: 'delivered' };
      expect(JSON.parse(tested.stdout)).toMatchObject({ ok: true, stages: [], receivers: [result] });
      const texts = bodies.map((body) => JSON.stringify(body)).filter((text) => text.includes('PromstackReceiverTest'));
      expect(texts).toHaveLength(2);
      status = 401;
      const refused = await stack.run('verify', '--receiver', 'dingtalk');
      expect(refused).toMatchObject({
        exitCode: 1,
        stdout: expect.stringContaining('rejects the credentials: it answers 401'),
      });
      expect(await stack.run('verify', '--receiver', 'dingtal')).toMatchObject({
        exitCode: 2,
        stderr: expect.stringContaining('did you mean dingtalk?'),
      });
      expect(await stack.run('verify', '--all-receivers')).toMatchObject({ exitCode: 2 });
      expect((await stack.run('ps', '--json')).stdout).not.toContain('check-receiver');
    } finally {
      robot.close();
    }
  });

  it('must be named by a test of all when they are slow, dead, or have no address', async ({ skip }) => {
    if (!isFull) skip('only `npm run test:full` runs it');
    const slow = createServer(() => undefined);
    await new Promise<void>((resolve) => slow.listen(0, '0.0.0.0', resolve));
    const { port } = slow.address() as AddressInfo;
    const urls = {
      slow: `http://host.docker.internal:${port}/`,
      dead: 'http://host.docker.internal:9/',
      lost: 'http://no-such-host.invalid/',
    };
    const alertmanager = {
      receivers: Object.entries(urls).map(([name, url]) => ({ name, webhook_configs: [{ url }] })),
      route: {
        receiver: 'slow',
        routes: ['dead', 'lost'].map((name) => ({ receiver: name, matchers: [`to="${name}"`] })),
      },
    };
    await using stack = await stackFolder({ pushgateway: { enabled: false }, sink: { enabled: false }, alertmanager });
    expect((await stack.run('up')).exitCode).toBe(0);
    const { exitCode, stdout } = await stack.run('verify', '--all-receivers', '--yes', '--timeout', '30s');
    slow.closeAllConnections();
    slow.close();
    expect(exitCode).toBe(1);
    expect(stdout).toContain('the receiver slow (webhook[0]) does not answer in time');
    expect(stdout).toMatch(/the receiver dead \(webhook\[0\]\) is unreachable: .*connection refused/);
    expect(stdout).toContain('the name no-such-host.invalid cannot be resolved');
  }, 300_000);
});
