import { type AddressInfo, connect as connectTo, createServer } from 'node:net';
import { connect } from '../../scripts/engine/connect.ts';

/** This machine's engine at an address that promstack treats as remote. */
export async function remoteEngine(): Promise<{ readonly address: string } & AsyncDisposable> {
  await using engine = await connect({ env: process.env });
  const socket = engine.location.address.replace(/^unix:\/\//, '');
  const server = createServer({ allowHalfOpen: true }, (from) => {
    const to = connectTo({ path: socket, allowHalfOpen: true });
    from.pipe(to).pipe(from);
    from.on('error', () => to.destroy());
    to.on('error', () => from.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, resolve));
  return {
    address: `tcp://0.0.0.0:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: async () => void server.close(),
  };
}
