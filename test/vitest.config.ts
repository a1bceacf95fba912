import { defineConfig } from 'vitest/config';

/** Everything in scenarios/ uses a container engine, a real server or the built program; nothing else does. */
export default defineConfig({
  test: {
    maxWorkers: 2,
    projects: [
      {
        test: {
          name: 'unit',
          root: '.',
          include: ['test/**/*.test.ts'],
          exclude: ['test/scenarios/**'],
          // One module graph for all files instead of one a file: a third of the time.
          isolate: false,
          testTimeout: 30_000,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          name: 'engine',
          root: '.',
          include: ['test/scenarios/**/*.test.ts'],
          globalSetup: ['test/support/build.ts', 'test/support/images.ts'],
          testTimeout: 60_000,
          hookTimeout: 300_000,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
