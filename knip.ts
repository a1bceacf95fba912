import type { KnipConfig } from 'knip';

const isProduction = process.argv.includes('--production');

/** `knip` finds what nothing outside its file uses; `knip --production` what only tests use. */
const config: KnipConfig = {
  entry: [
    'scripts/main.ts!',
    'scripts/launch.ts!',
    'scripts/dev/*.ts',
    'test/**/*.test.ts',
    'scripts/ui/page-requests.ts!',
    'scripts/ui/page-state.ts!',
    'scripts/ui/page/main.tsx!',
    'test/support/page-load.ts',
    'test/support/page-state.ts',
  ],
  project: ['{scripts,stack}/**/*.{ts,tsx}!', '!scripts/dev/**!', 'test/**/*.ts'],
  // A test may call directly what only its own file calls else.
  ignoreExportsUsedInFile: isProduction,
  // Programs of the host.
  exclude: ['binaries'],
};

export default config;
