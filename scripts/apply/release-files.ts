import { configMount } from '../../stack/values/container.ts';
import type { RenderedFile } from '../../stack/model.ts';
import type { Engine } from '../engine/engine.ts';

/** Reads a release back out of a container that mounts the config volume at its usual place; undefined when it is not there. */
export async function readRelease(
  engine: Engine,
  container: string,
  service: string,
  revision: string,
): Promise<readonly RenderedFile[] | undefined> {
  const entries = await engine.getFiles(container, `${configMount}/releases/${revision}`);
  return entries?.flatMap((entry) =>
    entry.kind === 'file'
      ? [
          {
            service,
            path: entry.path.split('/').slice(1).join('/'),
            content: entry.content.toString('utf8'),
            mode: entry.mode,
            origin: `revision ${revision}`,
          },
        ]
      : [],
  );
}
