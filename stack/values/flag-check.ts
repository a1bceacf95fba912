import type { KeyPath } from '../diagnostic.ts';
import type { CheckCommand, CheckFinding, RenderedFile } from '../model.ts';
import { featuresIn, withoutFlag } from './container.ts';
import { errorIn } from './exit-causes.ts';
import { quoted } from './words.ts';

/** A file that does not exist: servers read their config after they have accepted their flags. */
const noConfig = '/dev/shm/promstack-no-config.yml';

/** A new folder: in the check of the flags alone, each server exits before it writes to it. */
const noData = '/dev/shm/promstack-no-data';

/** Values in place of promstack's own, with which a server exits as soon as it has accepted all flags. */
const replacements: Readonly<Record<string, string>> = {
  '--config.file': noConfig,
  '--storage.path': noData,
  '--storage.tsdb.path': noData,
  // Of the addresses for documentation, which no host has.
  '--web.listen-address': '192.0.2.1:1',
  '--persistence.file': '',
};

/** What a server prints that exits because of one of them. */
const accepted = new RegExp(`${noConfig}|cannot assign requested address`);

/** The flags that a server starts with. */
export interface ServerFlags {
  readonly service: string;
  readonly title: string;
  readonly program: string;
  /** All of them; those of `extra_args` come last. */
  readonly args: readonly string[];
  readonly extra: readonly string[];
  readonly image: string;
  /** Whether another tool checks its `--enable-feature`. */
  readonly hasOtherFeatureCheck?: boolean | undefined;
  /** What it prints once it has started. */
  readonly started: RegExp;
  /** The smallest config that it starts with; undefined when it reads none. */
  readonly smallestConfig?: string | undefined;
}

/**
 * The program itself parses its flags, when there are any in `extra_args`, and exits before it reads its config, data and port. Then
 * it starts with empty data and an empty config: some values are refused only then.
 */
export function flagChecks(flags: ServerFlags): readonly CheckCommand[] {
  const { program, title, extra, hasOtherFeatureCheck = false } = flags;
  const checked = hasOtherFeatureCheck ? withoutFlag(extra, 'enable-feature') : extra;
  if (checked.length === 0) return [];
  const own = triedFlags(flags);
  return [
    {
      title: `the flags of ${title}`,
      tool: program,
      argv: [program, ...own, ...checked],
      reads: [],
      passes: (output) => accepted.test(output),
      explain: (output) => explainFlags(output, flags),
      warnings: (output) => unknownFeatures(output, flags),
    },
    startCheck(flags, checked),
  ];
}

function startCheck(flags: ServerFlags, checked: readonly string[]): CheckCommand {
  const { program, title, service, smallestConfig, started } = flags;
  const path = 'start-check.yml';
  const config: RenderedFile = { service, path, content: smallestConfig ?? '', mode: 0o444, origin: 'promstack' };
  const own = triedFlags(flags, { '--config.file': `CONFIG/${path}`, '--web.listen-address': undefined });
  return {
    title: `the start of ${title} with its flags`,
    tool: program,
    // Another check reads the web config. With a higher level the server would not print that it has started.
    argv: [program, ...own, ...withoutFlag(withoutFlag(checked, 'web.config.file'), 'log.level')],
    reads: smallestConfig === undefined ? [] : [config],
    untilPrinted: started,
    explain: (output) =>
      parsingError.test(output)
        ? [{ message: 'it does not accept its flags', isReportedElsewhere: true }]
        : explainFlags(output, flags),
  };
}

const parsingError = /^(?:\S+: error|Error parsing command line arguments): (.+?)(?:, try --help)?$/m;

/** promstack's own flags of a server that is only tried: without its data, its config and its port, but for the values in `instead`. */
export function triedFlags(
  { args, extra, hasOtherFeatureCheck = false }: ServerFlags,
  instead: Readonly<Record<string, string | undefined>> = {},
): readonly string[] {
  const values = { ...replacements, ...instead };
  const own = args.filter((flag) => !extra.includes(flag));
  return (hasOtherFeatureCheck ? withoutFlag(own, 'enable-feature') : own).map((flag) => {
    const [name = ''] = flag.split('=');
    return values[name] === undefined ? flag : `${name}=${values[name]}`;
  });
}

/** The item of `extra_args` that enables a feature. */
export function featureKey(name: string, service: string, extra: readonly string[]): KeyPath {
  const at = extra.findIndex((flag) => featuresIn([flag, '']).includes(name) || flag.split(',').includes(name));
  return keyOf(at, { service });
}

/** The error of a program that does not accept its flags. */
function explainFlags(output: string, flags: ServerFlags): readonly CheckFinding[] {
  const quitting = flags.extra.findIndex((flag) => /^-h$|^--(?:help(?:-long|-man)?|version)$/.test(flag));
  const message = quitting === -1 ? errorOf(output) : `with ${flags.extra[quitting]} it prints something and exits`;
  const about = flags.extra.findIndex((flag) => isAbout(message, flag));
  const at = quitting !== -1 ? quitting : flags.extra.length === 1 ? 0 : about;
  const flag = flags.extra[at];
  return [{ message, key: keyOf(at, flags), hint: hintFor(flag, message, flags) }];
}

/** Programs print their usage too. */
function errorOf(output: string): string {
  const parsing = parsingError.exec(output)?.[1];
  const lines = output.split('\n').filter((line) => line.trim() !== '');
  const crash = /^(?:panic|fatal error): (.+?)(?: \[recovered.*)?$/m.exec(output)?.[1];
  if (crash !== undefined) return `it crashes when it starts: ${crash}`;
  const logged = lines.flatMap((line) => (/level=error/i.test(line) ? (errorIn(line) ?? []) : []))[0];
  return parsing ?? logged ?? errorIn(lines.at(-1) ?? '') ?? lines[0]?.trim() ?? 'it exits without a message';
}

function isAbout(message: string, flag: string): boolean {
  const [, name] = /flag '([^']+)'/.exec(message) ?? [];
  if (name !== undefined) return flag === name || flag.startsWith(name.length > 2 ? `${name}=` : name);
  if (/agent mode/.test(message)) return /^--agent\b|^--enable-feature=.*\bagent\b/.test(flag);
  const [, unexpected] = /^unexpected (.*)$/.exec(message) ?? [];
  const value = flag.startsWith('-') ? flag.split('=').slice(1).join('=') : flag;
  return unexpected === undefined ? value !== '' && message.includes(value) : value === unexpected;
}

function hintFor(flag: string | undefined, message: string, { service, image }: ServerFlags): string {
  const list = `docker run --rm ${image} --help lists the flags of this version`;
  if (flag === undefined) return list;
  if (/and exits$/.test(message)) return 'remove it';
  const fixed = flag.replace(/^-(?=\w[\w.-]+)/, '--').replace(/^(--[\w.-]+)\s+/, '$1=');
  if (/^unknown|^unexpected/.test(message) && fixed !== flag) return `write ${quoted(fixed)}`;
  if (flag.startsWith('--storage.tsdb.retention')) return `use ${service}.retention in place of it`;
  if (/agent mode/.test(message)) return 'write "mode: agent" in place of it';
  return list;
}

/** Features that a program does not know, and ignores. */
function unknownFeatures(output: string, flags: ServerFlags): readonly CheckFinding[] {
  return [...output.matchAll(/Unknown option for --enable-feature" option="?([^"\s]+)/g)].map(([, name = '']) => {
    const message = `it ignores the feature ${quoted(name)}, which it does not have`;
    return { message, key: featureKey(name, flags.service, flags.extra) };
  });
}

function keyOf(at: number, { service }: Pick<ServerFlags, 'service'>): KeyPath {
  return at === -1 ? [service, 'extra_args'] : [service, 'extra_args', at];
}
