import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { packageRoot } from '../util/package-root.ts';

/** Everything committed that is written from the code, in an order in which none is read before it is written. */
const generators = ['schema', 'dashboards', 'reference'] as const;

for (const name of generators) {
  execFileSync(process.execPath, ['--import', 'tsx', join(packageRoot(), 'scripts', 'dev', `${name}.ts`)], {
    cwd: packageRoot(),
    stdio: 'inherit',
  });
}
