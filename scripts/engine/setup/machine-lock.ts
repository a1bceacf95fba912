import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

/**
 * Lets one process of this machine at a time do a thing. The lock is a socket in Linux's abstract name space: the
 * kernel takes it away with the process that holds it, however that ends, and who waits is woken by the end of a connection.
 */
export async function holdMachineLock(name: string, signal: AbortSignal, onWait: () => void): Promise<AsyncDisposable> {
  for (let isFirst = true; ; isFirst = false) {
    signal.throwIfAborted();
    const held = await take(`\0${name}`);
    if (held !== undefined) return held;
    if (isFirst) onWait();
    await untilReleased(`\0${name}`, signal);
  }
}

async function take(path: string): Promise<AsyncDisposable | undefined> {
  const waiting = new Set<Socket>();
  const server = createServer((socket) => {
    waiting.add(socket);
    socket.on('error', () => undefined).once('close', () => waiting.delete(socket));
  });
  // A forgotten lock must not keep the process alive.
  server.unref();
  try {
    server.listen(path);
    await once(server, 'listening');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') return undefined;
    throw error;
  }
  return { [Symbol.asyncDispose]: () => release(server, waiting) };
}

async function release(server: Server, waiting: ReadonlySet<Socket>): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  for (const socket of waiting) socket.destroy();
  await closed;
}

/** Resolves when the holder lets go; at once when it just did. */
async function untilReleased(path: string, signal: AbortSignal): Promise<void> {
  const socket = connect({ path });
  // A refusal or a reset says the same as an end: whoever held it holds it no more.
  socket.on('error', () => undefined);
  // Reading is what lets the end be seen.
  socket.resume();
  const stop = () => socket.destroy();
  signal.addEventListener('abort', stop);
  if (signal.aborted) stop();
  try {
    await new Promise((resolve) => socket.once('close', resolve));
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
