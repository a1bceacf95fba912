import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { isIgnoredBelow, isRelevant, watchedPaths, widerPaths } from '../../../scripts/watch/watched-paths.ts';
import { stackSchema } from '../../../stack/config.ts';
import { Secret } from '../../../stack/secret.ts';

describe('the watched paths', () => {
  it('must be those of stack.yml, its files and globs, secrets, templates and tests', () => {
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

  it('must not include a path below a folder watched with its subfolders', () => {
    const config = stackSchema.parse({ prometheus: { rules: ['**/*.yml', 'rules/*.yml'] } });
    expect(watchedPaths({ path: '/s/stack.yml', folder: '/s', config })).toMatchObject({ shallow: [], deep: ['/s'] });
  });

  it('must include a hidden folder of a named file, even below a watched folder', () => {
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

  it('must not include files of disabled services', () => {
    const config = stackSchema.parse({ prometheus: { enabled: false, rules: ['rules/*.yml'] } });
    expect(watchedPaths({ path: '/s/stack.yml', folder: '/s', config }).shallow).toEqual(['/s']);
  });

  it('must be wider while stack.yml is invalid: a missing file may appear beside it', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'watched-'));
    try {
      for (const name of ['secrets', '.git', 'node_modules']) await mkdir(join(folder, name));
      const before = { shallow: [folder, '/elsewhere'], deep: ['/deep'], files: ['/elsewhere/.hook'] };
      const stackFiles = [join(folder, 'stack.yml'), '/etc/over.yml'] as const;
      const envFiles = { paths: ['/run/prod.env'], areNamed: true } as const;
      expect(await widerPaths({ paths: stackFiles, envFiles }, before)).toEqual({
        shallow: ['/elsewhere', '/etc', '/run', folder, join(folder, 'secrets')].sort(),
        deep: ['/deep', join(folder, 'templates'), join(folder, 'tests')].sort(),
        files: [...stackFiles, '/run/prod.env', '/elsewhere/.hook'],
      });
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it.each(['/s/.a.yml.swp', '/s/a.yml~', '/s/#a.yml#', '/s/4913', '/s/a.swp', '/s/a.tmp'])('must not be %s', (path) => {
    expect(isRelevant(path)).toBe(false);
  });

  it.each(['/s/stack.yml', '/s/rules', '/s/secrets/hook'])('must be %s', (path) => {
    expect(isRelevant(path)).toBe(true);
  });

  it('must not include folders that are never part of a stack', () => {
    expect(isIgnoredBelow('/s/.git/config', '/s')).toBe(true);
    expect(isIgnoredBelow('/s/a/node_modules/b', '/s')).toBe(true);
    expect(isIgnoredBelow('/home/.config/s/rules/a.yml', '/home/.config/s')).toBe(false);
  });
});
