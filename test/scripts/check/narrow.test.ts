import { describe, expect, it } from 'vitest';
import { narrowFindings } from '../../../scripts/check/narrow.ts';
import { revealed } from '../../../scripts/render/show.ts';
import { StackError } from '../../../scripts/util/stack-error.ts';
import type { CheckCommand, RenderedFile } from '../../../stack/model.ts';
import { explainPromtool } from '../../../stack/prometheus/promtool-output.ts';
import { Secret } from '../../../stack/secret.ts';
import { partsOfKey } from '../../../stack/values/config-parts.ts';
import { commandOf, fileOf } from '../../support/check-commands.ts';

const command = commandOf(['promtool', 'check', 'config', 'CONFIG/prometheus.yml'], {
  explain: explainPromtool,
  divisible: {
    path: 'prometheus.yml',
    shared: ['global'],
    partsOf: (config) => Object.entries(config).flatMap(([key, value]) => partsOfKey(key, value, {})),
  },
});
const finding = { path: 'prometheus.yml', message: 'bad value' };

/** The files that a command checks in a run. */
function partsIn({ argv, reads = [] }: CheckCommand): readonly RenderedFile[] {
  return argv.slice(3).map((argument) => {
    const file = reads.find(({ path }) => argument === `CONFIG/${path}`);
    if (file === undefined) throw new Error(`${argument} is not there`);
    return file;
  });
}

const isBad = (file: RenderedFile): boolean => revealed(file).includes('bad');

/** Prints as promtool does with both streams joined. */
const joined = async (narrowed: CheckCommand): Promise<string> =>
  partsIn(narrowed)
    .map((file) => `Checking CONFIG/${file.path}\n${isBad(file) ? '  FAILED: bad value' : ' SUCCESS: fine'}\n\n`)
    .join('');

async function placesIn(text: string, run = joined, content: RenderedFile['content'] = text) {
  const findings = await narrowFindings([finding], command, [fileOf('prometheus.yml', content)], run);
  return findings.map(({ at }) => at?.join('.'));
}

describe('a finding without a line', () => {
  it('must be narrowed down to the value without which its part is valid', async () => {
    expect(await placesIn('jobs:\n  - a: 1\n  - b: {c: [x, bad], d: y}\nlast: {e: bad}\n')).toEqual([
      'jobs.1.b.c.1',
      'last.e',
    ]);
  });

  it.each([
    ['two values of an item', 'jobs:\n  - {a: bad, b: x, c: worse}\n', 'a bad', 'c worse'],
    ['two items of a list', 'jobs:\n  - a: [x, worse, bad, y]\n', 'a.2 bad', 'a.1 worse'],
    ['values at different depths', 'jobs:\n  - {a: {b: [x, bad]}, c: worse}\n', 'a.b.1 bad', 'c worse'],
    ['an item with a required key', 'jobs:\n  - {name: n, b: bad, c: worse}\n', 'b bad', 'c worse'],
  ])('must be reported with the one that it hides: %s', async (_, text, ...places) => {
    const needsName = text.includes('name');
    const stopping = async (narrowed: CheckCommand): Promise<string> =>
      partsIn(narrowed)
        .map((file) => {
          const written = revealed(file);
          const lacksName = needsName && written.includes('jobs') && !written.includes('name') ? ['no name'] : [];
          const [first] = [...lacksName, ...['bad', 'worse'].filter((word) => written.includes(word))];
          return `Checking CONFIG/${file.path}\n${first === undefined ? ' SUCCESS: fine' : `  FAILED: ${first}`}\n\n`;
        })
        .join('');
    const hiding = { path: 'prometheus.yml', message: 'bad' };
    const findings = await narrowFindings([hiding], command, [fileOf('prometheus.yml', text)], stopping);
    expect(findings.map(({ at, message }) => `${at?.slice(2).join('.')} ${message}`)).toEqual(places);
  });

  it('must be about a shared key alone where that is wrong, since every part has it', async () => {
    expect(await placesIn('jobs: [{a: bad}]\nglobal: {x: bad}\n')).toEqual(['global.x']);
  });

  it('must be narrowed down where the streams of the tool could not be joined', async () => {
    const apart = async (narrowed: CheckCommand): Promise<string> => {
      const files = partsIn(narrowed);
      const errors = files.filter(isBad).map(() => '  FAILED: bad value\n');
      const progress = files.map((file) => `Checking CONFIG/${file.path}\n${isBad(file) ? '' : ' SUCCESS: fine\n'}\n`);
      return [...errors, ...progress].join('');
    };
    expect(await placesIn('jobs: [{a: bad}, {b: x}, {c: [bad]}]\n', apart)).toEqual(['jobs.0.a', 'jobs.2.c.0']);
  });

  it('must be about the last of two parts that are valid one without the other', async () => {
    const clash = async (narrowed: CheckCommand): Promise<string> =>
      partsIn(narrowed)
        .map((file) => {
          const isTwice = revealed(file).split('same').length > 2;
          return `Checking CONFIG/${file.path}\n${isTwice ? '  FAILED: bad value' : ' SUCCESS: fine'}\n\n`;
        })
        .join('');
    expect(await placesIn('jobs: [{a: same}, {b: x}, {c: same}]\n', clash)).toEqual(['jobs.2']);
  });

  it('must be checked with every scalar as it was written, and aliases in place', async () => {
    const seen: string[] = [];
    const text = 'jobs:\n  - &j {a: 0012, b: 1.10, c: , d: "q", e: ~, f: yes}\n  - <<: *j\n    g: bad\n';
    await placesIn(text, async (narrowed) => {
      seen.push(...partsIn(narrowed).map(revealed));
      return joined(narrowed);
    });
    expect(seen[1]).toBe(
      'jobs:\n  - <<:\n      a: 0012\n      b: 1.10\n      c:\n      d: "q"\n      e: ~\n      f: yes\n    g: bad\n',
    );
  });

  it('must come with what is wrong in other files, which the tool has not read before', async () => {
    const text = 'rules: [a.yml]\njobs: [{a: bad}]\n';
    const withRules = async (narrowed: CheckCommand): Promise<string> =>
      partsIn(narrowed)
        .map((file) => {
          const rules = revealed(file).includes('a.yml')
            ? 'Checking CONFIG/a.yml\n  FAILED:\nCONFIG/a.yml: 3:5: wrong\n'
            : '';
          return `Checking CONFIG/${file.path}\n${isBad(file) ? '  FAILED: bad value\n' : ` SUCCESS: fine\n${rules}`}\n`;
        })
        .join('');
    const findings = await narrowFindings([finding], command, [fileOf('prometheus.yml', text)], withRules);
    expect(findings.map(({ path, line, at }) => [path, line ?? at?.join('.')])).toEqual([
      ['prometheus.yml', 'jobs.0.a'],
      ['a.yml', 3],
    ]);
  });

  it('must be found in a large file in few runs over little text', async () => {
    const jobs = Array.from({ length: 200 }, (_, at) => `  - {name: j${at % 199}, targets: [${'t, '.repeat(100)}t]}\n`);
    let characters = 0;
    const clash = async (narrowed: CheckCommand): Promise<string> =>
      partsIn(narrowed)
        .map((file) => {
          characters += revealed(file).length;
          const isTwice = revealed(file).split('name: j0\n').length > 2;
          return `Checking CONFIG/${file.path}\n${isTwice ? '  FAILED: bad value' : ' SUCCESS: fine'}\n\n`;
        })
        .join('');
    expect(await placesIn(`jobs:\n${jobs.join('')}`, clash)).toEqual(['jobs.199']);
    expect(characters).toBeLessThan(20_000_000);
  });

  it('must keep a file with secrets secret', async () => {
    const text = 'jobs: [{a: bad}, {password: hunter2}]\n';
    const kinds: unknown[] = [];
    await placesIn(
      text,
      async (narrowed) => {
        kinds.push(...partsIn(narrowed).map(({ content }) => content instanceof Secret));
        return joined(narrowed);
      },
      new Secret(text, '!env P'),
    );
    expect(new Set(kinds)).toEqual(new Set([true]));
  });

  it.each<[string, string, (narrowed: CheckCommand) => Promise<string>]>([
    ['the tool cannot run again', 'jobs: [{a: bad}]\n', () => Promise.reject(failure)],
    ['the tool prints nothing', 'jobs: [{a: bad}]\n', async () => ''],
    ['the file is not valid YAML', 'jobs: [{a: bad\n', joined],
    ['aliases stand for too much', `${manyAliases()}z: bad\n`, joined],
    ['no part is wrong', 'jobs: [{a: fine}]\n', joined],
  ])('must stay as it is where %s', async (_what, text, run) => {
    expect(await placesIn(text, run)).toEqual([undefined]);
  });
});

const failure = new StackError({ doing: 'checking', why: 'the engine is gone', tryThis: 'start it' });

/** Aliases of aliases, which stand for ten million values. */
function manyAliases(): string {
  const lines = ['a: &a [x, x, x, x, x, x, x, x, x, x]'];
  for (const [name, before] of ['ba', 'cb', 'dc', 'ed', 'fe', 'gf'].map((pair) => pair.split('')))
    lines.push(`${name}: &${name} [${Array.from({ length: 10 }, () => `*${before}`).join(', ')}]`);
  return `${lines.join('\n')}\n`;
}
