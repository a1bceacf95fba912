import { createServer } from 'node:net';

/** Whether a process of this host listens there: tried by listening. An address this host does not have counts as free. */
export function isPortTaken(address: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code === 'EADDRINUSE'));
    server.listen({ host: address, port, exclusive: true }, () => server.close(() => resolve(false)));
  });
}

/** A port of this host that the system says is free; somebody else can take it before it is used. */
export function freePort(address: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen({ host: address, port: 0 }, () => {
      const given = server.address();
      server.close(() => resolve(typeof given === 'object' && given !== null ? given.port : 0));
    });
  });
}
