import type { StackConfig } from '../../../stack/config.ts';
import type { RenderedFile } from '../../../stack/model.ts';
import type { Release } from '../../../stack/service.ts';
import { configDir, configMount } from '../../../stack/values/container.ts';
import type { MountedFile, SwarmFile } from '../../engine/swarm/swarm.ts';
import { md5 } from '../../util/hash.ts';
import type { SwarmServiceTarget } from './target.ts';

/** The path of a mounted file in the config directory of its service. */
export function pathOf({ target }: MountedFile): string {
  const folder = [`${configDir}/`, `${configMount}/`].find((prefix) => target.startsWith(prefix)) ?? '';
  return target.slice(folder.length);
}

/** The files of a target as far as they can be read back; of a secret only the MD5 digest is known. */
export function toRelease(target: SwarmServiceTarget, config: StackConfig, files: readonly SwarmFile[]): Release {
  const known = new Map<string, string>();
  const release = target.files.map((mounted): RenderedFile => {
    const path = pathOf(mounted);
    const stored = files.find(({ kind, name }) => kind === mounted.kind && name === mounted.name)?.content;
    const content = stored ?? `the secret ${mounted.name}\n`;
    const digest = target.digests[path];
    if (stored === undefined && digest !== undefined) known.set(content, digest);
    return { service: target.service, path, content, mode: mounted.mode, origin: mounted.name };
  });
  return {
    config,
    files: release,
    revision: target.revision ?? '',
    md5: (text) => {
      const digest = known.get(text);
      return digest === undefined ? md5(text) : Buffer.from(digest, 'hex');
    },
  };
}
