import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stackJsonSchemaText } from '../config/json-schema.ts';
import { packageRoot } from '../util/package-root.ts';

/** Where the JSON Schema of stack.yml lies in the package, for editors. */
export const schemaPath = join(packageRoot(), 'templates', 'init', 'stack.schema.json');

/** Writes the JSON Schema of stack.yml anew; to be run after a key was added. */
export function writeSchema(): void {
  writeFileSync(schemaPath, stackJsonSchemaText());
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeSchema();
