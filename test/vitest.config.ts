import { readFileSync } from 'node:fs';
import { defineConfig, type TestProjectInlineConfiguration } from 'vitest/config';
import { currentEngine } from '../scripts/dev/current-engine.ts';
import { defaultImagesFile, withTestImages } from '../scripts/dev/test-images.ts';
import { isFull, onlyFullOnCurrentEngine } from './support/shares.ts';

/** Everything in scenarios/ uses a container engine, a real server or the built program; nothing else does. */
const unit: TestProjectInlineConfiguration = {
  test: {
    name: 'unit',
    root: '.',
    include: ['test/**/*.test.ts'],
    setupFiles: ['test/support/forget-secrets.ts'],
    exclude: ['test/scenarios/**'],
    // One module graph for all files instead of one a file: a third of the time.
    isolate: false,
    testTimeout: 60_000,
    sequence: { groupOrder: 0 },
  },
};

/** The default images that the engine tests themselves see, as test/support/build.ts builds them into the program. */
const images = process.env['PROMSTACK_TEST_IMAGES'] ?? '';
const otherImages = {
  name: 'test-images',
  enforce: 'pre' as const,
  transform: (code: string, id: string) => (defaultImagesFile.test(id) ? withTestImages(code, images) : undefined),
};

const engine: TestProjectInlineConfiguration = {
  plugins: images === '' ? [] : [otherImages],
  test: {
    name: 'engine',
    root: '.',
    include: ['test/scenarios/**/*.test.ts'],
    exclude: ['test/scenarios/current-engine.test.ts'],
    globalSetup: ['test/support/build.ts', 'test/support/images.ts'],
    testTimeout: 60_000,
    hookTimeout: 300_000,
    sequence: { groupOrder: 1 },
  },
};

/** The core scenarios once more, on the engine of scripts/dev/engine.ts. */
const current: TestProjectInlineConfiguration = {
  ...engine,
  test: {
    ...engine.test,
    name: 'current engine',
    env: { DOCKER_HOST: currentEngine },
    exclude: [],
    include: [...['current-engine', 'up'], ...(isFull ? onlyFullOnCurrentEngine : [])].map(
      (scenario) => `test/scenarios/${scenario}.test.ts`,
    ),
    globalSetup: ['test/support/build.ts', 'test/support/images.ts', 'test/support/current-engine.ts'],
    sequence: { groupOrder: 2 },
  },
};

/** That engine needs root on Debian; elsewhere `npm test` says that it was left out. */
const canSetUp = process.getuid?.() === 0 && /^ID=debian$/m.test(readFileSync('/etc/os-release', 'utf8'));

export default defineConfig({
  test: {
    maxWorkers: 2,
    expect: { requireAssertions: true },
    projects: [unit, engine, ...(canSetUp ? [current] : [])],
  },
});
