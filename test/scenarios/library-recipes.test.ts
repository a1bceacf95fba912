import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { packageRoot } from '../../scripts/util/package-root.ts';
import { blocksOf } from '../support/page.ts';
import { isFull } from '../support/shares.ts';

/** How each recipe of docs/library.md is run, and the packages that its runner is installed with. */
const recipes = [
  { file: 'shop.test.ts', argv: ['npx', 'vitest', 'run', '--root', '.'], linked: ['vitest'] },
  { file: 'shop.test.mjs', argv: ['node', '--test', '.'] },
  { file: 'shop.jest.mjs', argv: ['npx', 'jest'], installed: ['jest', '@jest/globals'] },
  { file: 'shop.spec.mjs', argv: ['npx', 'playwright', 'test'], installed: ['@playwright/test'] },
] as const satisfies readonly Recipe[];

interface Recipe {
  readonly file: string;
  readonly argv: readonly [string, ...string[]];
  readonly linked?: readonly string[];
  readonly installed?: readonly string[];
}

const jest = { transform: {}, testMatch: ['**/*.jest.mjs'] };

test.for<Recipe>(recipes)(
  'the recipe $file must pass',
  { timeout: 240_000 },
  async ({ file, argv, linked = [], installed = [] }, { skip }) => {
    skip(!isFull && installed.length > 0, 'it installs packages: `npm run test:full` runs it');
    const block = blocksOf('docs/library.md').find(({ text }) => text.startsWith(`// ${file}\n`));
    const folder = await mkdtemp(join(tmpdir(), 'promstack-recipe-'));
    try {
      // The images of this host may be Debian's.
      const text = (block?.text ?? '').replace('startStack()', "startStack({ images: { source: 'auto' } })");
      await writeFile(join(folder, file), text);
      await writeFile(join(folder, 'package.json'), JSON.stringify({ private: true, type: 'module', jest }));
      if (installed.length > 0)
        await execa('npm', ['install', '--no-audit', '--no-fund', ...installed], { cwd: folder });
      for (const name of ['promstack', ...linked]) {
        const link = join(folder, 'node_modules', name);
        await mkdir(dirname(link), { recursive: true });
        await symlink(name === 'promstack' ? packageRoot() : join(packageRoot(), 'node_modules', name), link);
      }
      const bin = join(packageRoot(), 'node_modules', '.bin');
      const env = { PATH: `${process.env['PATH']}:${bin}`, NODE_OPTIONS: '--experimental-vm-modules', NO_COLOR: '1' };
      const [program, ...args] = argv;
      const { all, exitCode } = await execa(program, args, { cwd: folder, env, all: true, reject: false });
      expect(exitCode, all).toBe(0);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
);
