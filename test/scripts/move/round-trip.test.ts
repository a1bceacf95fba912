import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { exportCompose } from '../../../scripts/move/export-compose.ts';
import { importStack } from '../../../scripts/move/import-stack.ts';
import { tryImport } from '../../../scripts/move/try-import.ts';
import { writeFolder } from '../../../scripts/move/write-folder.ts';
import type { Rendering } from '../../../scripts/render/rendering.ts';
import { toBytes } from '../../../scripts/util/file-bytes.ts';
import { packageRoot } from '../../../scripts/util/package-root.ts';

const root = join(packageRoot(), 'test', 'imports');
const env = { TENANT: 'shop' };

async function renderingOf(path: string, name: string): Promise<Rendering> {
  const draft = await importStack({ paths: [path], cwd: root, env, name, out: path });
  await using tried = await tryImport(draft, { header: [], env, isPartial: false });
  const problems = [...draft.findings.problems, ...tried.diagnostics].filter(({ severity }) => severity === 'error');
  expect(problems.map(({ where, message }) => `${where?.file}:${where?.line}: ${message}`)).toEqual([]);
  if (tried.rendering === undefined) throw new Error(`${path} is not valid`);
  return tried.rendering;
}

/** What the containers of a stack are created with, and what their servers read. */
function meaningOf({ services }: Rendering) {
  return Object.fromEntries(
    services.map(({ container, files }) => {
      const { image, args, env: environment, ports, networks, resources } = container;
      const read = files.map((file) => {
        const text = toBytes(file)
          .toString('utf8')
          .replaceAll(/(revision["': ]+)[\da-f]{12}/g, '$1');
        return [file.path, /\.ya?ml$/.test(file.path) ? parse(text) : text];
      });
      // The export makes a password for a stack without one, which the import keeps.
      const shared = read.filter(([path]) => path !== 'secrets/security-admin_password');
      const created = { image, args, environment, ports, networks: [...(networks ?? [])].sort(), resources };
      return [container.service, { created, files: Object.fromEntries(shared) }];
    }),
  );
}

/** Exporters whose account an export has in files: the import leaves them to compose, and reports them. */
const staysWithCompose: Readonly<Record<string, readonly string[]>> = { exporters: ['mysqld', 'postgres', 'queue'] };

describe.each(await readdir(root))('the imported stack %s, exported to compose and imported from there', (name) => {
  test('must be the same stack', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'promstack-round-trip-'));
    try {
      const before = await renderingOf(join(root, name, 'input'), name);
      const { files } = await exportCompose(before, undefined, { withSecrets: true });
      await writeFolder(folder, files);
      const { [name]: staying = [] } = staysWithCompose;
      const same = meaningOf(before);
      const after = meaningOf(await renderingOf(folder, name));
      expect(Object.keys(after)).toEqual(Object.keys(same).filter((service) => !staying.includes(service)));
      if (staying.length === 0) expect(after).toEqual(same);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
