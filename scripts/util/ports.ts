import { createServer } from 'node:net';

/** Whether a process of this host listens on a port, found out by listening. An address that this host does not have counts as free. */
export function isPortTaken(address: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code === 'EADDRINUSE'));
    server.listen({ host: address, port, exclusive: true }, () => server.close(() => resolve(false)));
  });
}

/** Whether this host has an address, found out by listening on it. */
export function hasAddress(address: string): Promise<boolean> {
  return freePort(address).then(
    () => true,
    (error: NodeJS.ErrnoException) => !['EADDRNOTAVAIL', 'EAFNOSUPPORT'].includes(error.code ?? ''),
  );
}

/** A free port of this host; another process can take it before it is used. */
export function freePort(address: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen({ host: address, port: 0 }, () => {
      const bound = server.address();
      server.close(() => resolve(typeof bound === 'object' && bound !== null ? bound.port : 0));
    });
  });
}
