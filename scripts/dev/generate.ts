import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { echo } from 'zx';
import { stackJsonSchemaText } from '../config/schema.ts';
import { packageRoot } from '../util/package-root.ts';
import { shippedDashboards } from './dashboards/index.ts';
import { commandsPage, keysPage, withImages } from './reference.ts';
import { runbooksPage } from './runbooks.ts';
import { stackInputType } from './stack-input.ts';
import { withDefaultTags } from './test-images.ts';

// Writes the committed files that are generated from the code: `npm run generate`. Tests fail while they are out of date.
write('templates/init/stack.schema.json', stackJsonSchemaText());
for (const { path, text } of shippedDashboards()) write(path, text);
write('templates/init/full.yml', withDefaultTags(read('templates/init/full.yml')));
write('README.md', withDefaultTags(read('README.md')));
write('scripts/library/stack-input.ts', await stackInputType());
write('docs/commands.md', await commandsPage());
write('docs/keys.md', keysPage());
write('docs/runbooks.md', runbooksPage());
write('docs/install.md', withImages(read('docs/install.md')));

function read(path: string): string {
  return readFileSync(join(packageRoot(), path), 'utf8');
}

function write(path: string, text: string): void {
  const file = join(packageRoot(), path);
  if (existsSync(file) && readFileSync(file, 'utf8') === text) return;
  // A new dashboard has no folder yet.
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  echo(`wrote ${path}`);
}
