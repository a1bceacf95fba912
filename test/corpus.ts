import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { isDisagreement, type Judged, judge, readNativeFile } from './support/corpus.ts';

/**
 * `npm run test:corpus -- FOLDER`: takes every whole prometheus.yml, alertmanager.yml, rule file and dashboard below a folder
 * through promstack, and compares its verdict with that of promtool and amtool.
 */
const [folder] = process.argv.slice(2);
if (folder === undefined) throw new Error('which folder? npm run test:corpus -- FOLDER');

const print = (line: string): void => void process.stdout.write(`${line}\n`);

const paths = (await readdir(folder, { recursive: true, withFileTypes: true }))
  .filter((entry) => entry.isFile() && /\.(?:ya?ml|json)$/.test(entry.name))
  .map((entry) => join(entry.parentPath, entry.name))
  .sort();
const files = (await Promise.all(paths.map((path) => readNativeFile(path, folder)))).filter(
  (file) => file !== undefined,
);
const judged = await judge(files);

const count = (test: (file: Judged) => boolean): number => judged.filter(test).length;
for (const kind of ['prometheus', 'alertmanager', 'rules', 'dashboard'] as const) {
  const ofKind = (file: Judged): boolean => file.kind === kind;
  const refused = count((file) => ofKind(file) && file.errors.length > 0);
  const byTool =
    kind === 'dashboard' ? 'no tool' : `${count((file) => ofKind(file) && file.isValid === false)} by the tool`;
  print(`${kind}: ${count(ofKind)} files, refused: ${refused} by promstack, ${byTool}`);
}
for (const file of judged) {
  const { path, kind, errors, isValid, complaint } = file;
  if (kind === 'dashboard' && errors.length > 0) print(`  ${path}: ${errors.length} errors, ${errors[0]}`);
  if (isDisagreement(file)) {
    print(`DISAGREEMENT ${path} is ${isValid ? 'valid' : 'not valid'}`);
    for (const line of [...errors.slice(0, 3), complaint ?? '']) if (line !== '') print(`    ${line}`);
  }
}
const disagreements = count(isDisagreement);
print(`${judged.length} files, ${disagreements} disagreements`);
process.exitCode = disagreements === 0 ? 0 : 1;
