import { describe, expect, test } from 'vitest';
import { distributionArchives, parseSources, toSourceText } from '../../../../scripts/engine/images/apt-sources.ts';

describe('the one-line form', () => {
  const parse = (text: string) => parseSources([{ name: 'sources.list', text }]);

  test('must be read as the archive, its suite and components', () => {
    expect(parse('deb http://deb.example.org/debian bookworm main contrib # the archive\n')).toEqual([
      { uri: 'http://deb.example.org/debian', suites: ['bookworm'], components: ['main', 'contrib'], trust: {} },
    ]);
  });

  test('must keep the options about verification', () => {
    const line = 'deb [arch=amd64 signed-by=/k/a.gpg trusted=yes] http://deb.example.org/debian bookworm main';
    expect(parse(line)).toMatchObject([{ trust: { 'Signed-By': '/k/a.gpg', Trusted: 'yes' } }]);
  });

  test('sources of source packages, comments and blank lines must be skipped', () => {
    expect(parse('# deb http://a x main\n\n  deb-src http://a x main\n#deb http://b x main\n')).toEqual([]);
  });
});

describe('the deb822 form', () => {
  const parse = (text: string) => parseSources([{ name: 'sources.list.d/debian.sources', text }]);

  test('must be read as one archive per URI', () => {
    const text = `Types: deb deb-src
URIs: http://one.example.org/debian
 http://two.example.org/debian
Suites: trixie trixie-updates
# a comment inside
Components: main
Signed-By: /usr/share/keyrings/debian.gpg
`;
    const rest = { suites: ['trixie', 'trixie-updates'], components: ['main'] };
    const trust = { 'Signed-By': '/usr/share/keyrings/debian.gpg' };
    expect(parse(text)).toEqual([
      { uri: 'http://one.example.org/debian', ...rest, trust },
      { uri: 'http://two.example.org/debian', ...rest, trust },
    ]);
  });

  test('field names must be read in any case', () => {
    expect(parse('types: deb\nuris: http://a\nsuites: x\ncomponents: main\n')).toHaveLength(1);
  });

  test('each paragraph must be a separate archive', () => {
    const first = 'Types: deb\nURIs: http://a\nSuites: x\nComponents: main\n';
    const second = 'Types: deb\nURIs: http://b\nSuites: y\nComponents: main\n';
    expect(parse(`${first}\n${second}`).map((archive) => archive.uri)).toEqual(['http://a', 'http://b']);
  });

  test.each(['Enabled: no', 'Types: deb-src'])('%s must leave the archive out', (line) => {
    const name = line.split(':')[0] ?? '';
    const fields = ['Types: deb', 'URIs: http://a', 'Suites: x', 'Components: main'].filter(
      (field) => !field.startsWith(`${name}:`),
    );
    expect(parse([...fields, line].join('\n'))).toEqual([]);
  });

  test('a key in the file must be kept completely', () => {
    const key = 'Signed-By:\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n mQINBFit\n -----END PGP PUBLIC KEY BLOCK-----';
    const [archive] = parse(`Types: deb\nURIs: http://a\nSuites: x\nComponents: main\n${key}\n`);
    if (archive === undefined) throw new Error('no archive was read');
    const [again] = parse(toSourceText(archive, 'sid'));
    expect(again).toEqual({ ...archive, suites: ['sid'] });
    expect(toSourceText(archive, 'sid')).toContain('\n .\n mQINBFit\n');
  });
});

test("only the distribution's own archives must be used, without duplicates", () => {
  const archive = (uri: string, suite: string, component = 'main') => ({
    uri,
    suites: [suite],
    components: [component],
    trust: {},
  });
  const archives = [
    archive('http://deb.example.org/debian', 'bookworm'),
    archive('http://deb.example.org/debian', 'bookworm-updates'),
    archive('http://deb.example.org/debian', 'bookworm'),
    archive('http://deb.example.org/debian-security', 'bookworm-security'),
    archive('https://deb.nodesource.example', 'nodistro'),
    archive('https://download.docker.example', 'bookworm', 'stable'),
    archive('cdrom:[Debian]/', 'bookworm'),
  ];
  expect(distributionArchives(archives, 'bookworm').map(({ uri }) => uri)).toEqual(['http://deb.example.org/debian']);
});
