import { describe, expect, it } from 'vitest';
import type { ArchiveEntry } from '../../../scripts/engine/engine.ts';
import { openConfigFiles } from '../../../scripts/state/config-files.ts';
import { readServerAccess } from '../../../scripts/state/server-access.ts';
import { locationOf } from '../../../scripts/state/service-client.ts';
import { stackSchema } from '../../../stack/config.ts';
import { exporterServices } from '../../../stack/exporters/services.ts';
import { containerOf } from '../../../stack/networks.ts';
import { fakeEngine } from '../../support/engine.ts';

const config = stackSchema.parse({ name: 'shop', access: { tls: 'internal' }, exporters: { node: {}, nginx: {} } });
const specOf = (name: string) => {
  const service = exporterServices(config).find((one) => one.name === name);
  if (service === undefined) throw new Error(`there is no ${name}`);
  return containerOf(service, config);
};

/** An engine whose containers have these files, and the paths that were read of each. */
function engineWith(files: Readonly<Record<string, string>>) {
  const read: string[] = [];
  const engine = fakeEngine({
    getFiles: async (container, path) => {
      read.push(`${container}:${path}`);
      const found = Object.entries(files).filter(([at]) => at.startsWith(`${container}:${path}`));
      const entries = found.map(([at, text]): ArchiveEntry => {
        const name = at.slice(`${container}:${path}`.lastIndexOf('/') + 1);
        return { kind: 'file', path: name, content: Buffer.from(text), mode: 0o400, uid: 0, gid: 0 };
      });
      return entries.length === 0 ? undefined : entries;
    },
    readLink: async (container) => {
      read.push(`${container}:link`);
      return container === 'shop-carrier' ? 'releases/1/abc' : undefined;
    },
  });
  return { engine, read };
}

// To read a file of a container that mounts the host's folders, the engine mounts all of them again.
describe('the files of an exporter that mounts the folders of the host', () => {
  it('must be read through the config volume writer', async () => {
    const { engine, read } = engineWith({ 'shop-carrier:/volumes/node/releases/1/a': 'x' });
    const files = openConfigFiles(engine, 'shop');
    files.locate('node', 'n1', specOf('node'));
    expect(await files.read('node', 'releases/1')).toHaveLength(1);
    expect(await files.readLink('node', 'current')).toBe('releases/1/abc');
    expect(read).toEqual(['shop-carrier:/volumes/node/releases/1', 'shop-carrier:link']);
  });

  it('must be read through its own container when there is no writer', async () => {
    const { engine } = engineWith({ 'n1:/etc/promstack/releases/1/a': 'x' });
    const files = openConfigFiles(engine, 'shop');
    files.locate('node', 'n1', specOf('node'));
    expect(await files.read('node', 'releases/1')).toHaveLength(1);
  });

  it.each([
    ['the writer', 'shop-carrier:/volumes/node'],
    ['its own container, without a writer', 'n1:/etc/promstack'],
  ])('must say how the exporter is reached, through %s', async (_, root) => {
    const { engine, read } = engineWith({
      [`${root}/current/access/login`]: 'Authorization: Basic YTpi',
      [`${root}/current/access/names`]: 'node\n',
      [`${root}/certificates/ca.pem`]: 'CA',
    });
    const { container, access, volume } = locationOf('n1', specOf('node'), 'shop');
    const found = await readServerAccess(engine, container, access ?? { tls: false, login: false }, volume);
    expect(found).toMatchObject({ headers: { authorization: 'Basic YTpi' }, tls: { ca: 'CA' } });
    expect(read.some((one) => one.startsWith('n1:'))).toBe(root.startsWith('n1'));
  });

  it('must not be looked for elsewhere when it mounts none', () => {
    expect(locationOf('n2', specOf('nginx'), 'shop').volume).toBeUndefined();
  });
});
