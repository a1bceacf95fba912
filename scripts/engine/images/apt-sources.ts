/** A package archive in apt's sources. */
export interface Archive {
  readonly uri: string;
  readonly suites: readonly string[];
  readonly components: readonly string[];
  /** The fields of its deb822 form about verification: `Signed-By`, `Trusted`. */
  readonly trust: Readonly<Record<string, string>>;
}

/** A file of apt's sources: one archive per line in `sources.list` and `*.list`, deb822 paragraphs in `*.sources`. */
export interface SourceFile {
  readonly name: string;
  readonly text: string;
}

/** The archives of binary packages in apt's source files; all other lines are skipped. */
export function parseSources(files: readonly SourceFile[]): readonly Archive[] {
  return files.flatMap((file) => (file.name.endsWith('.sources') ? parseParagraphs(file.text) : parseLines(file.text)));
}

/** The distribution's own archives, without duplicates: those of its own suite with the component `main`. */
export function distributionArchives(archives: readonly Archive[], codename: string): readonly Archive[] {
  const suites = new Set([codename, 'stable', 'testing', 'unstable', 'sid']);
  const own = archives.filter(
    (archive) =>
      archive.components.includes('main') &&
      archive.suites.some((suite) => suites.has(suite)) &&
      !/^cdrom:/.test(archive.uri),
  );
  return own.filter(({ uri }, index) => own.findIndex((archive) => archive.uri === uri) === index);
}

/** The deb822 paragraph for one suite of an archive. */
export function toSourceText(archive: Archive, suite: string): string {
  const fields = {
    Types: 'deb',
    URIs: archive.uri,
    Suites: suite,
    Components: archive.components.join(' '),
    ...archive.trust,
  };
  return Object.entries(fields)
    .map(([name, value]) => `${name}: ${value}\n`)
    .join('');
}

/** The deb822 fields of the options in the one-line form (sources.list(5)). */
const fieldOfOption: Readonly<Record<string, string>> = {
  'signed-by': 'Signed-By',
  trusted: 'Trusted',
  'check-valid-until': 'Check-Valid-Until',
  'check-date': 'Check-Date',
};
const trustFields = Object.values(fieldOfOption);

/** `deb [signed-by=/k.gpg] http://deb.debian.org/debian bookworm main` */
function parseLines(text: string): readonly Archive[] {
  return text.split('\n').flatMap((line) => {
    const [, options = '', uri = '', suite = '', components = ''] =
      /^\s*deb\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)\s+([^#]*)/.exec(line) ?? [];
    if (uri === '') return [];
    const trust = options
      .trim()
      .split(/\s+/)
      .flatMap((option): [string, string][] => {
        const [name = '', value = ''] = option.split(/=(.*)/);
        const field = fieldOfOption[name.toLowerCase()];
        return field === undefined ? [] : [[field, value]];
      });
    return [{ uri, suites: [suite], components: words(components), trust: Object.fromEntries(trust) }];
  });
}

function parseParagraphs(text: string): readonly Archive[] {
  const uncommented = text.replace(/^#.*\n?/gm, '');
  return uncommented.split(/\n[ \t]*\n/).flatMap((paragraph) => {
    const fields = parseFields(paragraph);
    const field = (name: string) => fields.get(name.toLowerCase()) ?? '';
    if (!words(field('Types')).includes('deb') || /^(no|false|0)$/i.test(field('Enabled'))) return [];
    const trust = trustFields.filter((name) => field(name) !== '').map((name) => [name, field(name)]);
    const rest = {
      suites: words(field('Suites')),
      components: words(field('Components')),
      trust: Object.fromEntries(trust) as Record<string, string>,
    };
    return words(field('URIs')).map((uri) => ({ uri, ...rest }));
  });
}

/** A line that begins with a space continues the field before it, for example a key in `Signed-By`. */
function parseFields(paragraph: string): ReadonlyMap<string, string> {
  const fields = new Map<string, string>();
  let name = '';
  for (const line of paragraph.split('\n')) {
    const [, key, value = ''] = /^([A-Za-z][\w-]*):[ \t]*(.*)$/.exec(line) ?? [];
    if (key !== undefined) {
      name = key.toLowerCase();
      fields.set(name, value.trim());
    } else if (/^\s/.test(line) && name !== '') {
      fields.set(name, `${fields.get(name) ?? ''}\n${line}`);
    }
  }
  return fields;
}

function words(text: string): readonly string[] {
  return text.split(/\s+/).filter((word) => word !== '');
}
