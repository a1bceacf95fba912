import { expect, test } from 'vitest';
import { currentEngine } from '../../scripts/dev/current-engine.ts';
import { connect } from '../../scripts/engine/connect.ts';

test('these scenarios must run on a current engine, not on the one of this host', async () => {
  expect(process.env['DOCKER_HOST']).toBe(currentEngine);
  await using engine = await connect({ env: process.env });
  const { version } = await engine.info();
  expect(Number(version.split('.')[0])).toBeGreaterThanOrEqual(26);
});
