import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { connect } from '../../scripts/engine/connect.ts';
import { openConfigFiles } from '../../scripts/state/config-files.ts';
import { eventually } from '../support/eventually.ts';
import { alertRule, expectFine, expectSettled, historyOf } from '../support/revisions.ts';
import { getJson } from '../support/servers.ts';
import { type StackFolder, stackFolder } from '../support/stack-folder.ts';
import { watching } from '../support/watching.ts';

const keys = {
  alertmanager: { enabled: false },
  sink: { enabled: false },
  prometheus: {
    rules: ['rules/*.yml'],
    files: ['targets/*.json', 'certs/*', 'token.txt'],
    scrape_configs: [
      { job_name: 'files', file_sd_configs: [{ files: ['targets/*.json'] }] },
      {
        job_name: 'tls',
        scheme: 'https',
        tls_config: { ca_file: 'certs/ca.pem' },
        authorization: { credentials_file: 'token.txt' },
        static_configs: [{ targets: ['host.docker.internal:9'] }],
      },
    ],
  },
};
const certificate = '-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n';
const targets = (...addresses: readonly string[]): string => JSON.stringify([{ targets: addresses }]);
const bytes = Buffer.from([0, 10, 13, 255, 254, 65]);

describe("files of the user's own", () => {
  it('must be where the config looks for them, byte for byte, and target files must be read without a reload', async () => {
    await using stack = await stackFolder(keys);
    await stack.write('targets/a.json', targets('one:1'));
    await stack.write('certs/ca.pem', certificate);
    await stack.write('token.txt', 'planted-token');
    await stack.write('rules/a.yml', alertRule('TestA'));
    await writeFile(join(stack.path, 'certs/store.p12'), bytes);
    expectFine(await stack.run('up', '--without', 'pushgateway'));
    await expectSettled(stack);

    const files = openConfigFiles(await connect({ env: process.env }), stack.name);
    const [store] = (await files.read('prometheus', 'current/certs/store.p12')) ?? [];
    expect(store).toMatchObject({ content: bytes, mode: 0o444, uid: 65534 });
    const [token] = (await files.read('prometheus', 'current/token.txt')) ?? [];
    expect(token).toMatchObject({ content: Buffer.from('planted-token'), mode: 0o400 });
    await eventually(async () => expect(await targetsOf(stack)).toEqual(['one:1']));

    // Another address and another file: written without a reload, and read within the seconds of Prometheus's own pauses.
    const before = await lastReload(stack);
    await stack.write('targets/a.json', targets('two:2'));
    await stack.write('targets/b.json', targets('three:3'));
    const plan = await stack.run('plan');
    expect(plan.stdout).toContain(
      '~ prometheus     write     targets/a.json and targets/b.json changed: written without a reload, Prometheus reads them by itself',
    );
    expectFine(await stack.run('reload'));
    await eventually(async () => expect(await targetsOf(stack)).toEqual(['three:3', 'two:2']));
    expect(await lastReload(stack)).toEqual(before);
    await expectSettled(stack);
    expect((await historyOf(stack)).at(-1)?.changedFiles).toEqual(['targets/a.json', 'targets/b.json']);

    // Both kinds at once: a reload alone would not make Prometheus read the targets.
    await stack.write('targets/a.json', targets('four:4'));
    await stack.write('rules/a.yml', alertRule('TestB'));
    expectFine(await stack.run('reload'));
    await eventually(async () => expect(await targetsOf(stack)).toEqual(['four:4', 'three:3']));
    await expectSettled(stack);

    // What Prometheus would refuse, and keep its targets without a word.
    await stack.write('targets/b.json', '[{"targets": ["three:3"],}]');
    const refused = await stack.run('reload');
    expect(refused.exitCode).toBe(2);
    expect(refused.stderr).toContain('targets/b.json:1:26 this is not valid JSON');
    await stack.write('targets/b.json', targets('three:3'));

    await using watch = watching(stack);
    await watch.next('idle');
    await stack.write('targets/a.json', targets('five:5'));
    await watch.next('applied');
    await eventually(async () => expect(await targetsOf(stack)).toEqual(['five:5', 'three:3']));
    await watch.interrupt();

    expectFine(await stack.run('rollback', '--yes'));
    await eventually(async () => expect(await targetsOf(stack)).toEqual(['four:4', 'three:3']));
    // A secret in a file is not shown, and neither are bytes.
    await stack.write('token.txt', 'other-planted');
    await writeFile(join(stack.path, 'certs/store.p12'), Buffer.concat([bytes, bytes]));
    const shown = await stack.run('plan');
    expect(shown.stdout).toContain('prometheus/token.txt\na secret in it differs\n');
    expect(shown.stdout).toContain('-binary file of 6 bytes');
    expect(shown.stdout).not.toContain('planted');
  }, 150_000);
});

/** What a reload would change. */
async function lastReload(stack: StackFolder): Promise<unknown> {
  const { data } = await getJson<{ data: { lastConfigTime: string } }>(
    stack.url('prometheus', '/api/v1/status/runtimeinfo'),
  );
  return data.lastConfigTime;
}

async function targetsOf(stack: StackFolder): Promise<readonly string[]> {
  const { data } = await getJson<{ data: { activeTargets: { labels: Record<string, string> }[] } }>(
    stack.url('prometheus', '/api/v1/targets?state=active&scrapePool=files'),
  );
  return data.activeTargets.map(({ labels }) => labels['instance'] ?? '').sort();
}
