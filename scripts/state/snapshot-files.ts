import type { Engine } from '../engine/engine.ts';
import type { ConfigFiles } from './config-files.ts';
import { configWriterRoot, names } from './names.ts';

/**
 * Everything in a stack's config volumes as it is now, read through the carrier at one go: an engine takes as long for
 * one small file as for hundreds. Asked for at once. Nothing is there where there is no carrier.
 */
export function snapshotFiles(engine: Engine, stack: string): ConfigFiles {
  const root = configWriterRoot.slice(1);
  const reading = engine.getFiles(names.carrier(stack), configWriterRoot);
  reading.catch(() => undefined);
  return {
    // There is one way only.
    locate: () => undefined,
    async write() {
      throw new Error('a snapshot cannot be written to');
    },
    async read(service, path) {
      const asked = `${root}/${service}/${path}`;
      const above = asked.slice(0, asked.lastIndexOf('/') + 1);
      const found = ((await reading) ?? []).flatMap((entry) => {
        const at = entry.path.replace(/\/$/, '');
        return at === asked || at.startsWith(`${asked}/`) ? [{ ...entry, path: at.slice(above.length) }] : [];
      });
      return found.length === 0 ? undefined : found;
    },
    async readLink(service, path) {
      const asked = `${root}/${service}/${path}`;
      const found = ((await reading) ?? []).find((entry) => entry.path === asked);
      return found?.kind === 'link' ? found.to : undefined;
    },
  };
}
