import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { isDisagreement, judge, readNativeFile } from '../support/corpus.ts';

const folder = join(import.meta.dirname, '../corpus');

/** What Prometheus reads and promstack does not: its files are UTF-8, and the error says how to convert one. */
const refusedOnPurpose = ['rules/encoding-utf-16.yml'];

/** Every key once, and mistakes, scalars and encodings of all kinds. */
test('whole files of other stacks must be refused exactly when the servers refuse them', async () => {
  const paths = (await readdir(folder, { recursive: true })).filter((path) => path.endsWith('.yml')).sort();
  const files = await Promise.all(paths.map((path) => readNativeFile(join(folder, path), folder)));
  expect(paths.filter((_, at) => files[at]?.kind !== paths[at]?.split('/')[0])).toEqual([]);
  const judged = await judge(files.filter((file) => file !== undefined));
  expect(judged.length).toBeGreaterThan(250);
  expect(judged.filter(({ isValid }) => isValid === false).length).toBeGreaterThan(80);
  expect(judged.filter(isDisagreement).map(({ path }) => path)).toEqual(refusedOnPurpose);
}, 300_000);
