import { readFileSync } from 'node:fs';
import { defineConfig, type TestProjectInlineConfiguration } from 'vitest/config';
import { currentEngine } from '../scripts/dev/current-engine.ts';
import { defaultImagesFile, withTestImages } from '../scripts/dev/test-images.ts';
import { isFull, onlyFullOnCurrentEngine } from './support/shares.ts';

/** Projects do not inherit their expectations from the configuration as a whole. */
const poll = { timeout: 10_000 };

/** Everything in scenarios/ uses a container engine, a real server or the built program; nothing else does. */
const unit: TestProjectInlineConfiguration = {
  test: {
    name: 'unit',
    root: '.',
    include: ['test/**/*.test.ts'],
    setupFiles: ['test/support/forget-secrets.ts', 'test/support/seed.ts'],
    exclude: ['test/scenarios/**'],
    // One module graph for all files instead of one a file: a third of the time.
    isolate: false,
    testTimeout: 60_000,
    expect: { requireAssertions: true, poll },
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
    setupFiles: ['test/support/seed.ts'],
    // Longer than what its tests wait for, so that a failure says what did not come.
    testTimeout: 240_000,
    expect: { poll },
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
    projects: [unit, engine, ...(canSetUp ? [current] : [])],
  },
});
