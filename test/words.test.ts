import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { expect, test } from 'vitest';
import { packageRoot } from '../scripts/util/package-root.ts';

/** Names of exported types that were house words; each has the field's word by now. */
const typeNames = new Set(
  (
    'Attendant Room PasswordRoom Workshop Hands World Outlet Wish LogWish Try Vital Stock StockedService Reach Silent ' +
    'NoAnswer Drill DrillResult Hop HopResult Look Kept KeptPlace KeptSecret Held HeldGroup HeldFamily HeldAlert HeldRule ' +
    'HeldDatasource HeldDashboard Told AlertWay WayChange ReceiverWays Meaning Marks Hole HoleKind Former BroughtUp ' +
    'DesiredCarrier Surroundings Obstacle Foreign'
  ).split(' '),
);

/** The same for files. */
const fileNames = new Set(
  (
    'attendant attendants room world process-world outlet stock keeper former by-hand sparing remembering-files reach ' +
    'speak-inside kept drill hops judge carry-out meaning vital vitals holes use marks tidy within issues doubts ' +
    'contradictions draft assemble as-typed is-there few-at-a-time stop-point'
  ).split(' '),
);

/** What must not be printed. */
const phrases =
  /\banew\b|cannot be had|could not be had|the world refused|as (?:it|they) should be|is at work on|for want of|all the same|\bmend(?:s|ed)?\b|as said above|\bwhom\b|\b(?:is|are) told (?:of|by|to)\b|gave no answer|no part of the stack|a person\b|the person\b|\bdrills?\b|is it well/i;

const root = packageRoot();
const sources = filesBelow('scripts', '.ts').concat(filesBelow('stack', '.ts'));

test('no exported type may have a house word for its name', () => {
  const exported = /^export (?:declare )?(?:interface|type|class|abstract class) (\w+)/gm;
  const found = sources.flatMap((file) =>
    [...read(file).matchAll(exported)].flatMap(([, name = '']) => (typeNames.has(name) ? [`${file}: ${name}`] : [])),
  );
  expect(found).toEqual([]);
});

test('no source file may have a house word for its name', () => {
  expect(sources.filter((file) => fileNames.has(basename(file, '.ts')))).toEqual([]);
});

test('no message, template or page may hold a phrase that nobody in the field uses', () => {
  const strings = sources.flatMap((file) => stringsIn(read(file)).map((text) => ({ file, text })));
  const pages = [
    ...filesBelow('templates', ''),
    ...filesBelow('stack/demo', '.yml'),
    'README.md',
    'CHANGELOG.md',
  ].flatMap((file) =>
    read(file)
      .split('\n')
      .map((text) => ({ file, text })),
  );
  const found = [...strings, ...pages].filter(({ text }) => phrases.test(text));
  expect(found.map(({ file, text }) => `${file}: ${text.trim()}`)).toEqual([]);
});

function filesBelow(folder: string, ending: string): readonly string[] {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(ending))
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1));
}

function read(file: string): string {
  return readFileSync(join(root, file), 'utf8');
}

/** The string literals of a source, without its comments. */
function stringsIn(source: string): readonly string[] {
  const code = source.replaceAll(/\/\*[\s\S]*?\*\/|(?<![:'"`\w])\/\/[^\n]*/g, '');
  return [...code.matchAll(/'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\.)*`/g)].map(([text]) => text);
}
