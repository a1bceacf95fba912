import { createServer } from 'node:http';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { connect } from '../../../../scripts/engine/connect.ts';
import { emptyFolder } from '../../../support/promstack.ts';

test('each request to a socket must have a connection of its own, which the engine is not asked to close', async () => {
  await using folder = await emptyFolder();
  const path = join(folder.path, 'docker.sock');
  const asked: (string | undefined)[] = [];
  let connections = 0;
  const server = createServer((request, response) => {
    asked.push(request.headers.connection);
    response.setHeader('Api-Version', '1.41').setHeader('Content-Type', 'application/json').end('[]');
  });
  server.on('connection', () => connections++);
  await new Promise<void>((resolve) => server.listen(path, resolve));
  try {
    await using engine = await connect({ env: { DOCKER_HOST: `unix://${path}` } });
    for (let round = 0; round < 3; round++) await engine.listNetworks({});
  } finally {
    server.close();
  }
  expect(asked.length).toBeGreaterThanOrEqual(3);
  expect(new Set(asked)).toEqual(new Set(['keep-alive']));
  expect(connections).toBe(asked.length);
});
