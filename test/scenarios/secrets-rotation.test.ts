import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { stackFolder, toRun } from '../support/stack-folder.ts';

describe('a secret that changes', () => {
  it('must be used after a reload: a new token, and a new address', { timeout: 180_000 }, async () => {
    const seen: string[] = [];
    const receiver = createServer((request: IncomingMessage, answer) => {
      seen.push(`${request.url} ${request.headers.authorization}`);
      request.resume().once('end', () => answer.end());
    });
    await new Promise<void>((resolve) => receiver.listen(0, '0.0.0.0', resolve));
    const { port } = receiver.address() as AddressInfo;
    try {
      await using stack = await stackFolder();
      await stack.write(
        'stack.yml',
        `
name: ${stack.name}
images: {source: auto}
pushgateway: {enabled: false}
prometheus: {enabled: false}
grafana: {enabled: false}
alertmanager:
  port: ${stack.ports.alertmanager}
  route: {receiver: hook, group_by: [alertname], group_wait: 100ms}
  receivers:
    - name: hook
      webhook_configs:
        - url: !env HOOK_URL
          http_config: {authorization: {credentials: !file token}}
`,
      );
      const address = (path: string): string => `http://host.docker.internal:${port}/${path}`;
      const run = async (command: string, path: string): Promise<void> => {
        const done = toRun(await stack.start([command], { HOOK_URL: address(path) }));
        expect(done.exitCode, done.stderr).toBe(0);
      };
      const fire = async (alertname: string): Promise<void> => {
        const body = JSON.stringify([{ labels: { alertname } }]);
        const headers = { 'content-type': 'application/json' };
        const answer = await fetch(stack.url('alertmanager', '/api/v2/alerts'), { method: 'POST', body, headers });
        expect(answer.status).toBe(200);
      };

      await stack.write('token', 'first-token\n');
      await run('up', 'old');
      await fire('Before');
      await eventually(() => expect(seen).toContain('/old Bearer first-token'));

      await stack.write('token', 'second-token\n');
      await run('reload', 'old');
      await fire('After');
      await eventually(() => expect(seen).toContain('/old Bearer second-token'));

      await run('reload', 'new');
      await fire('Later');
      await eventually(() => expect(seen).toContain('/new Bearer second-token'));
    } finally {
      receiver.close();
    }
  });

  it('must be used in scrapes after a reload', { timeout: 180_000 }, async () => {
    const seen = new Set<string>();
    const target = createServer((request: IncomingMessage, answer) => {
      seen.add(String(request.headers.authorization));
      answer.end('up_and_well 1\n');
    });
    await new Promise<void>((resolve) => target.listen(0, '0.0.0.0', resolve));
    const { port } = target.address() as AddressInfo;
    try {
      await using stack = await stackFolder();
      await stack.write(
        'stack.yml',
        `
name: ${stack.name}
images: {source: auto}
pushgateway: {enabled: false}
alertmanager: {enabled: false}
grafana: {enabled: false}
prometheus:
  port: ${stack.ports.prometheus}
  scrape_interval: 1s
  scrape_configs:
    - job_name: guarded
      fallback_scrape_protocol: PrometheusText0.0.4
      authorization: {credentials: !file token}
      static_configs: [{targets: ['host.docker.internal:${port}']}]
`,
      );
      const run = async (command: string): Promise<void> => {
        const done = toRun(await stack.start([command]));
        expect(done.exitCode, done.stderr).toBe(0);
      };
      await stack.write('token', 'first-token\n');
      await run('up');
      await eventually(() => expect(seen).toContain('Bearer first-token'));
      await stack.write('token', 'second-token\n');
      await run('reload');
      await eventually(() => expect([...seen]).toEqual(['Bearer first-token', 'Bearer second-token']));
    } finally {
      target.close();
    }
  });
});
