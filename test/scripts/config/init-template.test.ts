import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parseDocument } from 'yaml';
import type * as z from 'zod';
import { loadStack } from '../../../scripts/config/load.ts';
import { knownKeys, readSchema } from '../../../scripts/config/schema-tree.ts';
import { packageRoot } from '../../../scripts/util/package-root.ts';
import { stackSchema } from '../../../stack/config.ts';

const written = readFileSync(join(packageRoot(), 'templates', 'init', 'stack.yml'), 'utf8');
/** The file with every key in force: a `#` that is followed by no blank hides a key. */
const uncommented = written.replaceAll(/^( *)#(?=[^\s#])/gm, '$1');

async function loadText(text: string) {
  const cwd = await mkdtemp(join(tmpdir(), 'promstack-init-'));
  try {
    await writeFile(join(cwd, 'stack.yml'), text);
    // Any name the examples take from the environment.
    const env = Object.fromEntries(
      [...text.matchAll(/!env (?:\{name: )?(\w+)/g)].map(([, name]) => [String(name), 'a-secret']),
    );
    return await loadStack({ cwd, env });
  } finally {
    await rm(cwd, { recursive: true });
  }
}

test('the stack.yml that init writes must be valid as it is, with nothing but defaults in it', async () => {
  const loaded = await loadText(written);
  expect(loaded).toMatchObject({ ok: true, warnings: [] });
  expect(loaded.ok && loaded.value.config).toEqual(stackSchema.parse({}));
});

test('with every line uncommented it must lack nothing but the files of the examples', async () => {
  const loaded = await loadText(uncommented);
  const told = loaded.ok ? loaded.warnings : loaded.error;
  // The files that the examples name are not there; nothing else may be wrong.
  expect(new Set(told.map(({ code }) => code))).toEqual(new Set(['nothing-matches']));
});

test('it must name every key of the schema', () => {
  const document = parseDocument(uncommented);
  const missing = knownKeys(stackSchema)
    .map(({ path }) => path)
    // The items of lists are in the programs' own syntax; examples of them are enough.
    .filter((path) => !path.includes('[]') && !document.hasIn(path))
    .map((path) => path.join('.'));
  expect(missing).toEqual([]);
});

test('it must show each key that has a plain default with that default', () => {
  const document = parseDocument(uncommented);
  for (const { path, schema } of knownKeys(stackSchema)) {
    const preset = defaultOf(schema);
    if (preset === undefined || path.includes('[]') || readSchema(schema).kind !== 'value') continue;
    expect.soft(document.getIn(path), path.join('.')).toEqual(preset);
  }
});

function defaultOf(schema: z.core.$ZodType): unknown {
  const { def } = (schema as z.core.$ZodTypes)._zod;
  return def.type === 'default' ? def.defaultValue : undefined;
}
