import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { shippedScenarios } from '../../scripts/cli/demo/scenario.ts';
import { connect } from '../../scripts/engine/connect.ts';
import { stackLabel } from '../../scripts/engine/labels.ts';
import { withCheckedJson } from '../support/json-output.ts';
import { isFull } from '../support/shares.ts';
import { binary, toRun } from '../support/stack-folder.ts';

const promstack = async (...args: readonly string[]) => {
  const env = { NO_COLOR: '1', npm_command: '', npm_package_name: '' };
  const options = { cwd: tmpdir(), reject: false, env, timeout: 400_000, stripFinalNewline: false } as const;
  return toRun(await withCheckedJson(args, execa('node', [binary, ...args], options)));
};

const scenarios = await shippedScenarios();

test.for(scenarios)(
  'the scenario $name must play to its end and leave nothing after --down',
  { timeout: 480_000 },
  async (scenario, { skip }) => {
    skip(!isFull && scenario.name !== 'bad-config', 'it takes a minute: `npm run test:full` runs it');
    const name = `test-${randomBytes(4).toString('hex')}`;
    const demo = ['demo', '--scenario', scenario.name, '--name', name] as const;
    try {
      const played = await promstack(...demo, '--json', ...(isFull ? [] : ['--speed', '20']));
      expect(played.exitCode, played.stdout).toBe(0);
      const lines = played.stdout
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as { kind?: string; seen?: readonly string[] });
      const steps = lines.filter(({ kind }) => kind === 'step');
      expect(steps).toHaveLength(scenario.steps.length);
      const awaited = scenario.steps.filter(
        (step) => step.until ?? step.alert ?? step.notification ?? step.reload ?? step.rollback,
      );
      expect(steps.filter(({ seen = [] }) => seen.length > 0)).toHaveLength(awaited.length);
      if (scenario.name === 'bad-config') {
        const refused = steps.flatMap(({ seen = [] }) => seen).find((text) => text.startsWith('refused'));
        expect(refused).toMatch(/^refused, revision [0-9a-f]{12} still runs: rules\/shop\.yml:5:18: /);
      }
    } finally {
      const down = await promstack(...demo, '--down');
      expect(down.exitCode, down.stderr).toBe(0);
    }
    await using engine = await connect({ env: process.env });
    const labels = { [stackLabel]: `promstack-demo-${name}` };
    expect([...(await engine.listContainers(labels)), ...(await engine.listVolumes(labels))]).toEqual([]);
    expect(await engine.listNetworks(labels)).toEqual([]);
  },
);
