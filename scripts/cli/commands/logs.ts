import { Option } from '@commander-js/extra-typings';
import * as z from 'zod';
import type { StackConfig } from '../../../stack/config.ts';
import { isSwarm } from '../../../stack/swarm/replicas.ts';
import { parseDuration } from '../../../stack/values/units.ts';
import type { Engine } from '../../engine/engine.ts';
import { EngineError } from '../../engine/engine-error.ts';
import { roleLabel, serviceLabel, stackLabel } from '../../engine/labels.ts';
import { followLogs, type LogOptions, readLogs, readSecrets, type ServiceLine } from '../../inspect/logs.ts';
import { notFound } from '../../state/find-stack.ts';
import { misuse } from '../../util/misuse.ts';
import { InputError, StackError } from '../../util/stack-error.ts';
import { type Context, exitCodes } from '../context.ts';
import { timeSchema } from '../json/schema.ts';
import type { Colours } from '../terminal-output.ts';
import { whichServices } from './arguments.ts';
import { defineCommand } from './command.ts';
import { connectEngine, stackOrThrow } from './find-stack.ts';

export const command = defineCommand({
  details:
    'Shows the lines of all services in order of time, each prefixed with its service. Following continues when a ' +
    'container is replaced.\n\nHere -f means --follow, unless a file follows it: `logs -f other.yml` shows the ' +
    'logs of the stack in other.yml.',
  examples: [
    { line: 'logs', what: 'the last 100 lines of each service' },
    { line: 'logs -f prometheus', what: 'follow one service' },
    { line: 'logs --since 10m alertmanager', what: 'the last ten minutes of one service' },
  ],
  syntax: (command) =>
    command
      .argument('[service...]', 'services to show (default: all)')
      .addOption(
        new Option('-f, --follow [service]', 'follow new lines until Ctrl-C')
          .preset('')
          .argParser((word: string, previous: readonly string[] | undefined) => [...(previous ?? []), word]),
      )
      .option('-n, --tail <lines>', 'number of lines to show per service, or all')
      .option('--since <when>', 'show only lines since a time such as 2026-01-31T12:00:00Z, or since 10m ago')
      .option('--no-time', 'omit the time of each line')
      .option('--raw', 'omit service names and times'),
  json: () => z.strictObject({ lines: z.array(z.strictObject(lineKeys())).optional().describe('without --follow') }),
  jsonLine: () => z.strictObject({ kind: z.literal('line'), ...lineKeys() }).describe('with --follow'),
  run: async (context, { follow, tail, since, time, raw }, [named]) => {
    const followed = readFollow(follow ?? []);
    const { signal, stackName, stdout } = context;
    if (followed.file !== undefined && stackName !== undefined) {
      throw new InputError([misuse(`-f ${followed.file} and -p ${stackName} both name a stack: use one of them`)]);
    }
    const file = followed.file === undefined ? context.file : [followed.file];
    const { config, origin } = await stackOrThrow({ ...context, file });
    const services = whichServices(config, [...followed.services, ...named]).map((service) => service.name);
    const options = readOptions(context, tail, since);
    const printerOf = (names: readonly string[]) =>
      raw === true ? rawLine : linePrinter(names, { colours: stdout.colours, withTime: time });
    const print = printerOf(services);
    await using engine = await connectEngine(context);
    if (isSwarm(config)) {
      const { followSwarmLogs, readSwarmLogs, taskNames } = await import('../../inspect/swarm-logs.ts');
      const { observeStack, requireManager } = await import('../../plan/swarm/place.ts');
      const cluster = await requireManager(engine);
      const observe = () => observeStack(engine, config.name);
      const warn = (text: string) => context.report({ kind: 'warning', text });
      const ofTasks = { swarm: engine.swarm, observe, services, signal, warn };
      await hideSecretsOnSwarm({ ...context, file }, { engine, cluster, config, services });
      const printTask = printerOf(await taskNames(ofTasks));
      if (followed.isFollowing) {
        await followSwarmLogs({ ...ofTasks, clock: context.clock }, options, (line) => {
          context.line({ kind: 'line', ...line });
          stdout.write(printTask(line));
        });
        return exitCodes.fine;
      }
      const lines = await readSwarmLogs(ofTasks, options);
      context.result({ lines });
      for (const line of lines) stdout.write(printTask(line));
      return exitCodes.fine;
    }
    const list = () => engine.listContainers({ [stackLabel]: config.name, [roleLabel]: 'service' });
    const find = async (service: string) => (await list()).find(({ labels }) => labels[serviceLabel] === service)?.id;
    const source = { engine, services, find, signal };
    await readSecrets(source, config.name);
    if (followed.isFollowing) {
      await followLogs({ ...source, clock: context.clock }, options, (line) => {
        context.line({ kind: 'line', ...line });
        stdout.write(print(line));
      });
      return exitCodes.fine;
    }
    if ((await list()).length === 0) {
      throw await notFound(engine, config.name, origin);
    }
    const lines = await readLogs(source, options);
    context.result({ lines });
    for (const line of lines) stdout.write(print(line));
    return exitCodes.fine;
  },
});

/** Removes the secrets of tasks from what is printed: those of stack.yml are known, others are read. */
async function hideSecretsOnSwarm(
  context: Context<never>,
  {
    engine,
    cluster,
    config,
    services,
  }: {
    readonly engine: Engine;
    readonly cluster: string;
    readonly config: StackConfig;
    readonly services: readonly string[];
  },
): Promise<void> {
  const { clock, signal, stackName, report } = context;
  const { observeStack, targetOf } = await import('../../plan/swarm/place.ts');
  const { knownSecrets } = await import('../../plan/swarm/target.ts');
  const { readTaskSecrets } = await import('../../inspect/swarm-secrets.ts');
  try {
    const observed = await observeStack(engine, config.name);
    const known = async (): Promise<ReadonlySet<string>> => {
      if (stackName !== undefined) return new Set();
      const { renderToLook } = await import('./stages.ts');
      try {
        const quiet = { ...context, report: () => undefined };
        const rendering = await renderToLook(quiet, Promise.resolve(engine), { compare: false });
        const target = targetOf(rendering, observed, { cluster, image: (reference) => reference, checks: new Map() });
        return new Set(knownSecrets(target).keys());
      } catch (error) {
        // Mistakes in stack.yml are no reason to show no logs.
        if (!(error instanceof InputError || error instanceof StackError)) throw error;
        return new Set();
      }
    };
    await readTaskSecrets(engine, { stack: config.name, services, observed, known, clock, signal });
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof StackError || error instanceof EngineError)) throw error;
    const why = error instanceof StackError ? error.why : error.message;
    report({ kind: 'warning', text: `the lines may show secrets of the services, which cannot be read: ${why}` });
  }
}

const lineKeys = () => ({
  service: z.string(),
  time: timeSchema(),
  stream: z.enum(['stdout', 'stderr']),
  text: z.string(),
});

/** `-f` means --follow here and --file everywhere else: before the path of a YAML file it means --file. */
function readFollow(words: readonly string[]): { isFollowing: boolean; services: string[]; file: string | undefined } {
  const isFile = (word: string): boolean => /\.ya?ml$|[/\\]/.test(word);
  const file = words.findLast(isFile);
  const services = words.filter((word) => !isFile(word));
  return {
    isFollowing: services.length > 0,
    services: services.filter((word) => word !== ''),
    file,
  };
}

const defaultTail = 100;

function readOptions(
  { clock }: Pick<Context, 'clock'>,
  tail: string | undefined,
  since: string | undefined,
): LogOptions {
  const from = since === undefined ? undefined : parseSince(since, clock.now());
  if (since !== undefined && from === undefined) {
    throw new InputError([
      misuse(
        `--since ${since} is not a time`,
        'use a duration such as 10m or 1h30m, or a time such as 2026-01-31T12:00:00Z',
      ),
    ]);
  }
  if (tail !== undefined && tail !== 'all' && !/^\d+$/.test(tail)) {
    throw new InputError([misuse(`--tail ${tail} is not a number of lines`, 'use a number, or all')]);
  }
  const lines = tail === 'all' || (tail === undefined && from !== undefined) ? undefined : Number(tail ?? defaultTail);
  return { tail: lines, since: from };
}

const rawLine = ({ text }: ServiceLine): string => `${text}\n`;

/** Parses a duration before now such as `1h30m`, or a time such as 2026-01-31T12:00:00Z; undefined for anything else. */
export function parseSince(text: string, now: number): Date | undefined {
  const ageMs = parseDuration(text);
  if (ageMs !== undefined) return new Date(now - ageMs);
  const time = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(time) ? undefined : new Date(time);
}

/** Formats lines with their service, each in its own colour, and their local time. */
export function linePrinter(
  services: readonly string[],
  { colours, withTime }: { readonly colours: Colours; readonly withTime: boolean },
): (line: ServiceLine) => string {
  const paints = [colours.cyan, colours.green, colours.yellow, colours.magenta, colours.blue];
  const width = Math.max(0, ...services.map((service) => service.length));
  const heads = new Map(
    services.map((service, index) => [
      service,
      (paints[index % paints.length] ?? colours.cyan)(`${service.padEnd(width)} |`),
    ]),
  );
  return ({ service, time, text }) => {
    const when = withTime ? `${colours.dim(clockTime(time))} ` : '';
    return `${heads.get(service) ?? `${service} |`} ${when}${text}\n`;
  };
}

/** Local time: `14:03:22.518`. */
function clockTime(time: string): string {
  const date = new Date(time);
  const two = (number: number) => String(number).padStart(2, '0');
  const milliseconds = String(date.getMilliseconds()).padStart(3, '0');
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${milliseconds}`;
}
