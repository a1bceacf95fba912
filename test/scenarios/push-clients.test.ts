import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { Gauge, Pushgateway as OfficialPusher, Registry } from 'prom-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connect } from '../../scripts/engine/connect.ts';
import { serviceLabel, stackLabel } from '../../scripts/engine/labels.ts';
import { createPusher } from '../../scripts/servers/pushgateway/pusher.ts';
import { packageRoot } from '../../scripts/util/package-root.ts';
import { eventually } from '../support/eventually.ts';
import { ensurePythonClient, python } from '../support/python-client.ts';
import { query } from '../support/servers.ts';
import { type StackFolder, stackFolder } from '../support/stack-folder.ts';

let stack: StackFolder;
let gateway: string;

beforeAll(async () => {
  [stack] = await Promise.all([
    stackFolder({ alertmanager: { enabled: false }, sink: { enabled: false } }),
    ensurePythonClient(),
  ]);
  gateway = stack.url('pushgateway');
  const up = await stack.run('up');
  if (up.exitCode !== 0) throw new Error(up.stderr);
});
afterAll(() => stack[Symbol.asyncDispose]());

describe('a running stack', () => {
  it("must accept pushes of Prometheus's Python client, up to the series in Prometheus", async () => {
    const script = join(packageRoot(), 'templates', 'examples', 'push.py');
    await execa(python, [script, '--once'], { env: { PUSHGATEWAY: gateway } });
    await eventually(async () =>
      expect(await query(stack.url('prometheus'), 'raid_status{job="pushgateway"}')).toEqual([
        'raid_status{instance="storage-1",job="pushgateway",method="mdadm",path="/dev/md0"} 1',
        'raid_status{instance="storage-1",job="pushgateway",method="mdadm",path="/dev/md1"} 0',
      ]),
    );
  });

  it('must accept pushes of prom-client', async () => {
    const registry = new Registry();
    new Gauge({ name: 'from_prom_client', help: 'x', registers: [registry] }).set(7);
    await new OfficialPusher(gateway, {}, registry).pushAdd({ jobName: 'node', groupings: { instance: 'a b' } });
    await eventually(async () =>
      expect(await query(stack.url('prometheus'), 'from_prom_client')).toEqual([
        'from_prom_client{instance="a b",job="node"} 7',
      ]),
    );
  });

  it('must accept pushes of curl, as in the documentation', async () => {
    await writeFile(join(stack.path, 'metrics.txt'), '# TYPE if_up gauge\nif_up{interface="eth0"} 1\n');
    const lines = `
echo "request_error_number 99" | curl --data-binary @- http://localhost:9091/metrics/job/link_job
curl --data-binary @metrics.txt http://localhost:9091/metrics/job/snmp/instance/$ip
cat <<EOF | curl --data-binary @- http://localhost:9091/metrics/job/pushgateway/instance/10.40.80.1
# TYPE http_request_total counter
http_request_total{code="200",path="/pay"} 12
http_request_total{code="200",path="/cart"} 20
EOF
`.replaceAll('http://localhost:9091', gateway);
    await execa('bash', ['-euc', lines], { cwd: stack.path, env: { ip: '10.40.80.9' } });
    await eventually(async () =>
      expect(
        await query(stack.url('prometheus'), '{__name__=~"request_error_number|if_up|http_request_total"}'),
      ).toEqual([
        'http_request_total{code="200",instance="10.40.80.1",job="pushgateway",path="/cart"} 20',
        'http_request_total{code="200",instance="10.40.80.1",job="pushgateway",path="/pay"} 12',
        'if_up{instance="10.40.80.9",interface="eth0",job="snmp"} 1',
        'request_error_number{job="link_job"} 99',
      ]),
    );
  });

  it('must be the target of push, groups and gc without an address', async () => {
    const pushed = await stack.run('push', '--job', 'own', '--var', 'own_value=1');
    expect(pushed).toMatchObject({ exitCode: 0, stderr: `pushed 1 sample of 1 metric to {job="own"} at ${gateway}\n` });
    expect((await stack.run('groups', '--job', 'own')).stdout).toMatch(/^own +- +.*\S +never +1 +own_value$/m);
    expect((await stack.run('gc', '--older-than', '1h', '--dry-run')).stderr).toMatch(
      /^0 groups would be deleted, \d+ left$/m,
    );
    expect(await stack.run('groups', 'rm', '--job', 'own')).toMatchObject({ exitCode: 0 });
  });

  it('must receive a push that began while its Pushgateway was down', async () => {
    await using engine = await connect({ env: process.env });
    const [container] = await engine.listContainers({ [stackLabel]: stack.name, [serviceLabel]: 'pushgateway' });
    if (container === undefined) throw new Error('the Pushgateway has no container');
    await engine.stopContainer(container.id, 10);
    const retried: string[] = [];
    const pusher = createPusher({
      url: gateway,
      job: 'patient',
      retries: 10,
      onRetry: ({ why }) => retried.push(why),
    });
    const push = pusher.push('patient_value 1\n');
    await expect.poll(() => retried.length, { timeout: 10_000 }).toBeGreaterThan(1);
    await engine.startContainer(container.id);
    await expect(push).resolves.toBeUndefined();
    expect(retried[0]).toContain('connection refused');
    await eventually(async () =>
      expect(await query(stack.url('prometheus'), 'patient_value')).toEqual(['patient_value{job="patient"} 1']),
    );
    // What had been pushed before came back from its volume.
    expect((await stack.run('groups', '--job', 'node')).stdout).toContain('from_prom_client');
  });
});
