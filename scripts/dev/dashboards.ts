import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { packageRoot } from '../util/package-root.ts';
import { shippedDashboards } from './dashboards/index.ts';

// Writes the dashboards promstack ships into templates/, where a test expects them to be current.
for (const { path, text } of shippedDashboards()) {
  const file = join(packageRoot(), path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  console.log(`wrote ${path}`);
}
