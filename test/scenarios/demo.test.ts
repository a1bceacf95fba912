import { randomBytes } from 'node:crypto';
import { execa } from 'execa';
import { expect, it } from 'vitest';
import { connect } from '../../scripts/engine/connect.ts';
import { stackLabel } from '../../scripts/engine/labels.ts';
import { eventually } from '../support/eventually.ts';
import { query } from '../support/servers.ts';
import { binary } from '../support/stack-folder.ts';

const demo = (...args: readonly string[]) =>
  execa('node', [binary, ...args], { reject: false, env: { NO_COLOR: '1' }, timeout: 240_000 });

/** A delivered alert of the incident that the source makes soon after its start. */
const incident = (status: string) => `${status.padEnd(8)}  RaidDegraded  RAID array md1 on storage-1 is degraded`;

// It has a name of its own, since whoever runs this may have a demo up.
it('the demo must fire an alert, see it resolve, tell where everything is, and leave nothing behind', async () => {
  await using engine = await connect({ env: process.env });
  const name = `test-${randomBytes(4).toString('hex')}`;
  const stack = `promstack-demo-${name}`;
  const labels = { [stackLabel]: stack };
  try {
    const shown = await demo('demo', '--name', name);
    expect(shown.exitCode, shown.stderr).toBe(0);
    const firing = shown.stdout.indexOf(incident('firing'));
    const resolved = shown.stdout.indexOf(incident('resolved'));
    expect(firing).toBeGreaterThan(-1);
    expect(resolved).toBeGreaterThan(firing);
    expect(shown.stdout).toContain('Next steps');
    expect(shown.stdout).toContain(`demo --name ${name} --down`);
    expect(shown.stderr).toContain('the demo runs without grafana: grafana/grafana:12.4.0');
    expect(shown.stdout).toContain('The demo runs without Grafana: the image grafana/grafana:12.4.0 is not available');

    // The source goes on when the command has ended.
    const prometheus = /prometheus\s+created\s+(http:\S+)/.exec(shown.stdout)?.[1] ?? '';
    const before = await query(prometheus, 'sum(http_request_total{code="200"})');
    await eventually(async () =>
      expect(await query(prometheus, 'sum(http_request_total{code="200"})')).not.toEqual(before),
    );
    expect(await query(prometheus, 'count by (job, instance) (raid_status)')).toEqual([
      '{instance="storage-1",job="raid"} 3',
    ]);

    const detached = await demo('demo', '--name', name, '--detach');
    expect(detached.exitCode, detached.stderr).toBe(0);
    expect(detached.stdout).toContain(`${stack}: nothing to do`);
    expect(detached.stdout).not.toContain('RaidDegraded');

    // The source's next incident is minutes away, but who asks to see one need not wait for it.
    const again = await demo('demo', '--name', name);
    expect(again.exitCode, again.stderr).toBe(0);
    expect(again.stdout).toContain(`${stack}: nothing to do`);
    expect(again.stdout).toContain(incident('firing'));
    expect(again.stdout).toContain(incident('resolved'));
  } finally {
    const down = await demo('demo', '--name', name, '--down');
    expect(down.exitCode, down.stderr).toBe(0);
  }
  expect(await engine.listContainers(labels)).toEqual([]);
  expect(await engine.listVolumes(labels)).toEqual([]);
  expect(await engine.listNetworks(labels)).toEqual([]);
}, 300_000);
