import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import type Dockerode from 'dockerode';
import { type Engine, EngineError, type HelperSession } from '../engine.ts';
import { engineCall } from './call.ts';
import { remove } from './containers.ts';
import { toSessionOptions } from './create-options.ts';
import { framesOf } from './logs.ts';

/** Speaks with helpers while they run. */
export function sessionCalls(docker: Dockerode): Pick<Engine, 'openHelper'> {
  return {
    openHelper: (request) =>
      engineCall(`running container ${request.name}`, async () => {
        const container = await docker.createContainer(toSessionOptions(request));
        try {
          // Attached before it starts, so that nothing it prints is missed.
          const how = { stream: true, stdin: true, stdout: true, stderr: true, hijack: true };
          const connection = (await container.attach(how)) as Duplex;
          await container.start();
          return sessionOf(container, connection);
        } catch (error) {
          await remove(container).catch(() => undefined);
          throw error;
        }
      }),
  };
}

function sessionOf(container: Dockerode.Container, connection: Duplex): HelperSession {
  // Whoever reads the output hears of it; between two reads nobody does.
  connection.on('error', () => undefined);
  return {
    container: container.id,
    output: printed(connection),
    write: async (bytes) => {
      if (connection.destroyed || connection.writableEnded) throw gone(container);
      if (!connection.write(bytes)) await drained(connection);
    },
    [Symbol.asyncDispose]: async () => {
      connection.end();
      connection.destroy();
      await engineCall(`removing container ${container.id}`, () => remove(container));
    },
  };
}

/** An end counts too: whoever reads the output hears of it. */
async function drained(connection: Duplex): Promise<void> {
  const over = new AbortController();
  try {
    await Promise.race(['drain', 'close'].map((event) => once(connection, event, { signal: over.signal })));
  } finally {
    over.abort();
  }
}

async function* printed(connection: Duplex): AsyncGenerator<Buffer> {
  for await (const { stream, content } of framesOf(connection)) if (stream === 'stdout') yield content;
}

function gone(container: Dockerode.Container): EngineError {
  const message = 'it is not running any more';
  return new EngineError({ code: 'conflict', doing: `speaking with container ${container.id}`, message });
}
