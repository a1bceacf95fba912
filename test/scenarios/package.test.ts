import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { expect, it } from 'vitest';
import { packageRoot } from '../../scripts/util/package-root.ts';

it('the packed tarball must install, run as npx promstack, and be usable as a typed library', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'promstack-pack-'));
  const run = (file: string, args: readonly string[]) =>
    execa(file, [...args], { cwd: folder, env: { NO_COLOR: '1' } });
  try {
    // The tests' set-up has built dist/; building it again under running tests would take it away from them.
    await execa('npm', ['pack', '--ignore-scripts', '--pack-destination', folder], { cwd: packageRoot() });
    await writeFile(join(folder, 'package.json'), JSON.stringify({ name: 'user', private: true, type: 'module' }));
    const tarball = join(folder, 'promstack-0.1.0.tgz');
    await run('npm', ['install', '--no-audit', '--no-fund', '--omit=dev', '--prefer-offline', tarball]);

    expect((await run('npx', ['promstack', '--version'])).stdout).toBe('0.1.0');
    await run('npx', ['promstack', 'init']);
    const rendered = await run('npx', ['promstack', 'render']);
    expect(rendered.stdout).toContain('job_name: pushgateway');
    const demo = join('node_modules', 'promstack', 'stack', 'demo', 'stack.yml');
    expect((await run('npx', ['promstack', 'render', '-f', demo])).stdout).toContain('alert: RaidDegraded');

    await writeFile(
      join(folder, 'use.ts'),
      [
        "import { loadStack, loadTemplates, render } from 'promstack';",
        'const loaded = await loadStack({ cwd: process.cwd(), env: process.env });',
        "if (!loaded.ok) throw new Error('stack.yml is valid');",
        'const rendering = render(loaded.value, await loadTemplates(undefined));',
        "if (!rendering.ok) throw new Error('it renders');",
        'const revision: string = rendering.value.revision;',
        'console.log(revision.length);',
        '',
      ].join('\n'),
    );
    const typescript = join(packageRoot(), 'node_modules', '.bin', 'tsc');
    const types = join(packageRoot(), 'node_modules', '@types');
    const flags = ['--strict', '--module', 'nodenext', '--target', 'es2022', '--skipLibCheck', '--types', 'node'];
    await run(typescript, [...flags, '--typeRoots', types, 'use.ts']);
    expect((await run('node', ['use.js'])).stdout).toBe('12');
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}, 240_000);
