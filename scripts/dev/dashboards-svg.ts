import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { packageRoot } from '../util/package-root.ts';
import { shippedDashboards } from './dashboards/index.ts';
import { drawDashboard } from './dashboards/picture.ts';

// Draws the layout of each shipped dashboard for the README; a test expects the pictures to be current.
for (const { picture, dashboard } of shippedDashboards()) {
  const file = join(packageRoot(), picture);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, drawDashboard(dashboard));
  console.log(`wrote ${picture}`);
}
