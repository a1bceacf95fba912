import { Transform } from 'node:stream';

/** When reading the source fails during the upload, rejects with that error instead of the engine's response to it. */
export async function sending<T>(
  source: NodeJS.ReadableStream,
  sent: () => void,
  send: (source: NodeJS.ReadableStream) => Promise<T>,
): Promise<T> {
  let sourceError: Error | undefined;
  const counted = new Transform({
    transform: (chunk, _encoding, done) => {
      sent();
      done(null, chunk);
    },
  });
  source.once('error', (error: Error) => {
    sourceError = error;
    counted.destroy(error);
  });
  try {
    return await send(source.pipe(counted));
  } catch (error) {
    throw sourceError ?? error;
  }
}
