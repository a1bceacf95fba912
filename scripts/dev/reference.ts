import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../util/package-root.ts';
import { withReferences } from './reference/generate.ts';

/** Writes the references in README.md anew: `npx tsx scripts/dev/reference.ts`, after a command, option or key changed. */
const readme = join(packageRoot(), 'README.md');
writeFileSync(readme, await withReferences(readFileSync(readme, 'utf8')));
