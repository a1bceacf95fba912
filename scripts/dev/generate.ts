import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { echo } from 'zx';
import { stackJsonSchemaText } from '../config/schema.ts';
import { packageRoot } from '../util/package-root.ts';
import { shippedDashboards } from './dashboards/index.ts';
import { withReferences } from './reference.ts';

// Writes the committed files that are generated from the code: `npm run generate`. Tests fail while they are out of date.
write('templates/init/stack.schema.json', stackJsonSchemaText());
for (const { path, text } of shippedDashboards()) write(path, text);
write('README.md', await withReferences(readFileSync(join(packageRoot(), 'README.md'), 'utf8')));

function write(path: string, text: string): void {
  const file = join(packageRoot(), path);
  if (existsSync(file) && readFileSync(file, 'utf8') === text) return;
  writeFileSync(file, text);
  echo(`wrote ${path}`);
}
