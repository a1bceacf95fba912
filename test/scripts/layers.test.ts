import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { expect, test } from 'vitest';
import { packageRoot } from '../../scripts/util/package-root.ts';

/**
 * The floors of the house, from the ground up: a file imports from its own folder and from folders on floors below.
 * `stack/` lies below all of `scripts/`; the entry points (`scripts/*.ts`) stand above all folders but `dev`.
 */
const floors: readonly (readonly string[])[] = [
  ['util'],
  ['config', 'engine'],
  ['render', 'state'],
  ['check', 'plan', 'servers'],
  ['apply', 'inspect'],
  ['library', 'move', 'ui', 'watch'],
  ['cli'],
  ['entry points'],
  ['dev'],
];
/** The most folders of `scripts/`, without `dev`. */
const longest = 15;

const root = packageRoot();
const sources = ['scripts', 'stack'].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((path) => /\.tsx?$/.test(path))
    .map((path) => `${folder}/${path}`),
);
const imports = new Map(sources.map((file) => [file, importsOf(file)]));

function importsOf(file: string): readonly string[] {
  const text = readFileSync(join(root, file), 'utf8');
  const found = text.matchAll(/(?:\bfrom|\bimport\(|^import)\s*'(\.[^']+\.tsx?)'/gm);
  return [...found].map(([, path = '']) => normalize(join(dirname(file), path)));
}

function folderOf(file: string): string {
  const [top = '', folder = ''] = file.split('/');
  if (top === 'stack') return 'stack';
  return folder.endsWith('.ts') ? 'entry points' : folder;
}

function floorOf(folder: string): number {
  return folder === 'stack' ? -1 : floors.findIndex((names) => names.includes(folder));
}

test('every folder of scripts/ must have its floor', () => {
  const folders = new Set(sources.map(folderOf));
  expect([...folders].filter((folder) => folder !== 'stack' && floorOf(folder) === -1)).toEqual([]);
  const isCounted = (folder: string): boolean => !['stack', 'entry points', 'dev'].includes(folder);
  expect([...folders].filter(isCounted).length).toBeLessThanOrEqual(longest);
});

test('no file may import from a higher floor or from a neighbour on its own floor', () => {
  const wrong = [...imports].flatMap(([file, targets]) =>
    targets
      .filter((target) => {
        const [from, to] = [folderOf(file), folderOf(target)];
        return from !== to && floorOf(to) >= floorOf(from);
      })
      .map((target) => `${file} imports ${target}`),
  );
  expect(wrong).toEqual([]);
});

test('no file may import itself by way of others', () => {
  const done = new Set<string>();
  const circles: string[] = [];
  const visit = (file: string, path: readonly string[]): void => {
    if (path.includes(file)) {
      circles.push([...path.slice(path.indexOf(file)), file].join(' -> '));
      return;
    }
    if (done.has(file)) return;
    for (const target of imports.get(file) ?? []) visit(target, [...path, file]);
    done.add(file);
  };
  for (const file of imports.keys()) visit(file, []);
  expect(circles).toEqual([]);
});

test('every import of a source must be one that is seen here', () => {
  // A path that no file has is one that the pattern above read wrongly.
  const unknown = [...imports].flatMap(([file, targets]) =>
    targets.filter((target) => !imports.has(target)).map((target) => `${file} imports ${target}`),
  );
  expect(unknown).toEqual([]);
});
