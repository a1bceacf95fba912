import type { Readable, Writable } from 'node:stream';
import { type Header, type Pack, pack } from 'tar-stream';
import type { Engine } from '../../engine/engine.ts';
import { send } from './archive.ts';

/** An entry of a volume: its path in it. */
export interface VolumeEntry {
  readonly volume: string;
  readonly path: string;
  readonly header: Header;
  readonly content: Readable;
}

/** Unpacks entries below the folders of their volumes in a container; those of one volume follow one another. */
export async function uploadEntries(
  engine: Pick<Engine, 'writeArchive'>,
  container: string,
  folderOf: (volume: string) => string,
  entries: AsyncIterable<VolumeEntry>,
): Promise<void> {
  let current: { readonly volume: string; readonly archive: Pack; readonly sent: Promise<void> } | undefined;
  const end = async (): Promise<void> => {
    current?.archive.finalize();
    await current?.sent;
    current = undefined;
  };
  try {
    for await (const { volume, path, header, content } of entries) {
      if (current?.volume !== volume) {
        await end();
        const archive = pack();
        const sent = engine.writeArchive(container, folderOf(volume), archive as unknown as Readable);
        // Without it, an upload that fails would be waited for.
        sent.catch((error: Error) => archive.destroy(error));
        current = { volume, archive, sent };
      }
      const { type, mode, uid, gid, mtime, size, linkname } = header;
      const own = { type, mode, uid, gid, mtime, size, ...(type === 'symlink' ? { linkname } : {}) };
      await send(content, current.archive.entry({ ...own, name: path }) as unknown as Writable);
    }
    await end();
  } catch (error) {
    // The engine's reason is the one that helps.
    await current?.sent;
    current?.archive.destroy(error as Error);
    throw error;
  }
}
