import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { packageRoot } from '../../scripts/util/package-root.ts';
import { parseExposition } from '../../stack/exposition/parse-exposition.ts';
import { type TestGateway, type TestGateways, testGateways } from '../support/pushgateway.ts';
import { ensurePythonClient, python } from '../support/python-client.ts';
import { getText } from '../support/servers.ts';
import { freePorts } from '../support/stack-folder.ts';

const folder = join(packageRoot(), 'templates', 'examples');
let gateways: TestGateways;
let server: TestGateway;

beforeAll(async () => {
  [gateways] = await Promise.all([testGateways(), ensurePythonClient()]);
  server = await gateways.start();
});
afterAll(() => gateways[Symbol.asyncDispose]());
beforeEach(() => server.wipe());

describe('the example', () => {
  test('push.py must push with the official client', async () => {
    expect(await run(python, 'push.py', '--once')).toMatchObject({ exitCode: 0, output: '' });
    expect(await pushed()).toEqual([
      'raid_status{instance="storage-1",job="pushgateway",method="mdadm",path="/dev/md0"} 1',
      'raid_status{instance="storage-1",job="pushgateway",method="mdadm",path="/dev/md1"} 0',
    ]);
  });

  test('push.sh must push with only curl', async () => {
    expect(await run('sh', 'push.sh')).toMatchObject({ exitCode: 0, output: '' });
    expect(await pushed()).toEqual([
      'http_request_total{code="200",instance="10.40.80.1",job="pushgateway",path="/cart"} 20',
      'http_request_total{code="200",instance="10.40.80.1",job="pushgateway",path="/pay"} 12',
      'if_in_octets{instance="10.40.80.2",interface="eth0",job="snmp"} 104857600',
      'if_in_octets{instance="10.40.80.2",interface="eth1",job="snmp"} 2048',
      'request_error_number{instance="",job="link_job"} 99',
    ]);
  });

  test('push.mjs must push with prom-client and promstack', async () => {
    expect(await run(process.execPath, 'push.mjs')).toMatchObject({ exitCode: 0, output: 'copied 42 rows\n' });
    const samples = await pushed();
    expect(samples).toEqual(
      expect.arrayContaining([
        'raid_checks_total{instance="storage-1",job="raid",path="/dev/md"} 1',
        'raid_status{array="md0",instance="storage-1",job="raid",path="/dev/md"} 1',
        'raid_status{array="md1",instance="storage-1",job="raid",path="/dev/md"} 0',
        'batch_job_success{instance="",job="copy"} 1',
        'copy_rows{instance="",job="copy"} 42',
      ]),
    );
    expect(samples).toHaveLength(8);
  });

  test("cron-job.sh must push successes and failures, and exit with the job's exit code", async () => {
    const before = Date.now() / 1000;
    const success = await run('bash', 'cron-job.sh', 'nightly/backup', 'sh', '-c', 'echo "$1"', 'sh', 'a b');
    expect(success).toMatchObject({ exitCode: 0, output: 'a b\n' });
    const afterSuccess = await valuesOf('nightly/backup');
    expect(afterSuccess).toMatchObject({ batch_job_success: 1 });
    expect(afterSuccess['batch_job_last_success_timestamp_seconds']).toBe(
      afterSuccess['batch_job_last_run_timestamp_seconds'],
    );
    expect(afterSuccess['batch_job_last_run_timestamp_seconds']).toBeGreaterThan(before);

    expect(await run('bash', 'cron-job.sh', 'nightly/backup', 'sh', '-c', 'exit 3')).toMatchObject({ exitCode: 3 });
    const afterFailure = await valuesOf('nightly/backup');
    expect(afterFailure).toMatchObject({
      batch_job_success: 0,
      batch_job_last_success_timestamp_seconds: afterSuccess['batch_job_last_success_timestamp_seconds'],
    });
    expect(afterFailure['batch_job_last_run_timestamp_seconds']).toBeGreaterThan(
      afterSuccess['batch_job_last_run_timestamp_seconds'] ?? Infinity,
    );
    expect(afterFailure['batch_job_duration_seconds']).toBeGreaterThan(0);
  });

  test("cron-job.sh must exit with the job's exit code even if the push fails", async () => {
    const [port] = await freePorts(1);
    const gone = { PUSHGATEWAY: `http://127.0.0.1:${port}` };
    const { exitCode, output } = await run('bash', 'cron-job.sh', 'backup', 'true', gone);
    expect(exitCode).toBe(0);
    expect(output).toContain(`could not push the result of backup to http://127.0.0.1:${port}`);
  });

  test.each(['push.py', 'push.mjs', 'push.sh'])('%s must fail without a Pushgateway', async (file) => {
    const [port] = await freePorts(1);
    const program = { 'push.py': python, 'push.mjs': process.execPath }[file] ?? 'sh';
    const gone = { PUSHGATEWAY: `http://127.0.0.1:${port}` };
    const { exitCode } = await run(program, file, ...(file === 'push.py' ? ['--once'] : []), gone);
    expect(exitCode).not.toBe(0);
  });
});

type Env = Readonly<Record<string, string>>;

async function run(
  program: string,
  file: string,
  ...rest: readonly (string | Env)[]
): Promise<{ readonly exitCode: number | undefined; readonly output: string }> {
  const args = rest.filter((one) => typeof one === 'string');
  const env = Object.assign({ PUSHGATEWAY: server.url }, ...rest.filter((one) => typeof one !== 'string'));
  const result = await execa(program, [join(folder, file), ...args], {
    reject: false,
    all: true,
    env,
    stripFinalNewline: false,
  });
  return { exitCode: result.exitCode, output: result.all };
}

/** All pushed samples as the Pushgateway shows them, without its own. */
async function pushed(): Promise<readonly string[]> {
  const read = parseExposition(await getText(`${server.url}/metrics`));
  if (!read.ok) throw new Error('the Pushgateway shows what cannot be read');
  const own = /^(go|process|promhttp|pushgateway)_|^push(_failure)?_time_seconds$/;
  return read.value
    .filter(({ name }) => !own.test(name))
    .flatMap(({ samples }) => samples)
    .map(({ name, labels, value }) => {
      const pairs = [...labels].sort().map(([label, text]) => `${label}=${JSON.stringify(text)}`);
      return `${name}{${pairs.join(',')}} ${value}`;
    })
    .sort();
}

async function valuesOf(job: string): Promise<Readonly<Record<string, number>>> {
  const samples = (await pushed()).filter((sample) => sample.includes(`job=${JSON.stringify(job)}`));
  return Object.fromEntries(
    samples.map((sample) => [sample.slice(0, sample.indexOf('{')), Number(sample.slice(sample.lastIndexOf(' ') + 1))]),
  );
}
