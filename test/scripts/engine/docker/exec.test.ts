import type { ServerResponse } from 'node:http';
import { expect, test } from 'vitest';
import { type Answer, fakeDaemon, json } from '../../../support/fake-daemon.ts';

const created = { 'POST /containers/x/exec': json(201, { Id: 'e' }) };

/** Keeps the output open forever. */
const silent: Answer = (_request, response) => {
  response.writeHead(200).flushHeaders();
};

test('a program must not be waited for when its container has exited but its output stays open', async () => {
  await using daemon = await fakeDaemon({
    ...created,
    'POST /exec/e/start': silent,
    'POST /containers/x/wait': json(200, { StatusCode: 137 }),
  });
  const running = daemon.engine.exec('x', ['/bin/sleep', '100']);
  await expect(running).rejects.toMatchObject({
    code: 'conflict',
    message: 'the container exited while the program was running',
  });
});

test('the exit code must be polled until the engine has it', async () => {
  let asked = 0;
  const waits: ServerResponse[] = [];
  await using daemon = await fakeDaemon({
    ...created,
    'POST /exec/e/start': (_request, response) => {
      response.writeHead(200).end(Buffer.from([1, 0, 0, 0, 0, 0, 0, 2, 104, 105]));
    },
    'POST /containers/x/wait': (_request, response) => {
      waits.push(response);
    },
    'GET /exec/e/json': (request, response) => {
      asked += 1;
      json(200, asked < 3 ? { Running: true, ExitCode: null } : { Running: false, ExitCode: 4 })(request, response);
    },
  });
  expect(await daemon.engine.exec('x', ['/bin/true'])).toEqual({ exitCode: 4, stdout: 'hi', stderr: '' });
});
