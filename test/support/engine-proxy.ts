import { mkdtemp, rm } from 'node:fs/promises';
import { connect as connectSocket, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from '../../scripts/engine/connect.ts';

/** A socket that leads to the engine as long as it is open: closing it is what a client sees of an engine that restarts. */
export async function engineProxy(): Promise<
  AsyncDisposable & { path: string; start(): Promise<void>; stop(): Promise<void> }
> {
  const folder = await mkdtemp(join(tmpdir(), 'proxy-'));
  const path = join(folder, 'docker.sock');
  await using real = await connect({ env: process.env });
  const socket = real.location.address.replace(/^unix:\/\//, '');
  const open = new Set<Socket>();
  let server: Server | undefined;
  const start = (): Promise<void> =>
    new Promise((resolve) => {
      server = createServer({ allowHalfOpen: true }, (client) => {
        const engine = connectSocket({ path: socket, allowHalfOpen: true });
        for (const [one, other] of [[client, engine] as const, [engine, client] as const]) {
          open.add(one);
          one.pipe(other);
          one.on('error', () => other.destroy());
          one.on('close', () => {
            open.delete(one);
            other.destroy();
          });
        }
      });
      server.listen(path, resolve);
    });
  const stop = async (): Promise<void> => {
    for (const socket of open) socket.destroy();
    await new Promise((resolve) => (server === undefined ? resolve(undefined) : server.close(resolve)));
    await rm(path, { force: true });
  };
  await start();
  return {
    path,
    start,
    stop,
    [Symbol.asyncDispose]: async () => {
      await stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
