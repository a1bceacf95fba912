import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { isBeside, isWorthALook, watchedPaths, widerPaths } from '../../../scripts/watch/watched-paths.ts';
import { stackSchema } from '../../../stack/config.ts';
import { Secret } from '../../../stack/secret.ts';

describe('what is watched', () => {
  it('must be stack.yml, every file and glob it names, secrets, templates and tests', () => {
    const config = stackSchema.parse({
      prometheus: { rules: ['rules/*.yml', 'deep/**/*.yml', 'one/a.yml', '../shared/*.yml'] },
      alertmanager: {
        templates: ['messages/*.tmpl'],
        receivers: [{ name: 'a', webhook_configs: [{ url: new Secret('x', '!file secrets/hook') }] }],
      },
    });
    expect(watchedPaths({ path: '/s/stack.yml', folder: '/s', config })).toEqual({
      shallow: ['/s', '/s/messages', '/s/one', '/s/rules', '/s/secrets', '/shared'],
      deep: ['/s/deep', '/s/templates', '/s/tests'],
      files: ['/s/one/a.yml', '/s/secrets/hook', '/s/stack.yml'],
    });
  });

  it('must not watch twice what is watched with all below it', () => {
    const config = stackSchema.parse({ prometheus: { rules: ['**/*.yml', 'rules/*.yml'] } });
    expect(watchedPaths({ path: '/s/stack.yml', folder: '/s', config })).toMatchObject({ shallow: [], deep: ['/s'] });
  });

  it('must be a hidden folder that a file is named in, also where all around it is watched', () => {
    const config = stackSchema.parse({
      prometheus: { rules: ['**/*.yml', '.hidden/**/*.yml'] },
      alertmanager: { receivers: [{ name: 'a', webhook_configs: [{ url: new Secret('x', '!file .secrets/hook') }] }] },
    });
    expect(watchedPaths({ path: '/s/stack.yml', folder: '/s', config })).toEqual({
      shallow: ['/s/.secrets'],
      deep: ['/s', '/s/.hidden'],
      files: ['/s/.secrets/hook', '/s/stack.yml'],
    });
  });

  it('must not be the files of services that are off', () => {
    const config = stackSchema.parse({ prometheus: { enabled: false, rules: ['rules/*.yml'] } });
    expect(watchedPaths({ path: '/s/stack.yml', folder: '/s', config }).shallow).toEqual(['/s']);
  });

  it('must be wider while stack.yml cannot be read: a file it misses may appear beside it', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'watched-'));
    try {
      for (const name of ['secrets', '.git', 'node_modules']) await mkdir(join(folder, name));
      const before = { shallow: [folder, '/elsewhere'], deep: ['/deep'], files: ['/elsewhere/.hook'] };
      expect(await widerPaths(join(folder, 'stack.yml'), before)).toEqual({
        shallow: ['/elsewhere', folder, join(folder, 'secrets')].sort(),
        deep: ['/deep', join(folder, 'templates'), join(folder, 'tests')].sort(),
        files: ['/elsewhere/.hook'],
      });
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it.each(['/s/.a.yml.swp', '/s/a.yml~', '/s/#a.yml#', '/s/4913', '/s/a.swp', '/s/a.tmp'])('must not be %s', (path) => {
    expect(isWorthALook(path)).toBe(false);
  });

  it.each(['/s/stack.yml', '/s/rules', '/s/secrets/hook'])('must be %s', (path) => {
    expect(isWorthALook(path)).toBe(true);
  });

  it('must not go into folders that hold no parts of a stack', () => {
    expect(isBeside('/s/.git/config', '/s')).toBe(true);
    expect(isBeside('/s/a/node_modules/b', '/s')).toBe(true);
    expect(isBeside('/home/.config/s/rules/a.yml', '/home/.config/s')).toBe(false);
  });
});
