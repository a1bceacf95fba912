import { dirname, isAbsolute, join } from 'node:path';
import * as z from 'zod';
import { schemeOf } from '../../../stack/access/access.ts';
import { isForApps } from '../../../stack/compose-networks.ts';
import { quoted } from '../../../stack/values/words.ts';
import { changeStack } from '../../apply/change.ts';
import { takeDown } from '../../apply/take-down.ts';
import type { ComposeProject } from '../../config/loaded.ts';
import type { Engine } from '../../engine/engine.ts';
import { stackLabel } from '../../engine/labels.ts';
import { OtherOriginError } from '../../plan/origin.ts';
import { composeProjectOf, projectNetworks } from '../../state/compose-project.ts';
import { names } from '../../state/names.ts';
import type { Clock } from '../../util/clock.ts';
import type { Event, Report } from '../../util/event.ts';
import { misuse } from '../../util/misuse.ts';
import { pathExists } from '../../util/path-exists.ts';
import { InputError, isAbort, StackError } from '../../util/stack-error.ts';
import { type Context, type ExitCode, exitCodes } from '../context.ts';
import { explainFailure } from '../failure.ts';
import { printChanged } from '../print/change.ts';
import { printDiagnostics, sourceReader } from '../print/diagnostics.ts';
import { coloursFor } from '../terminal-output.ts';
import { defineCommand } from './command.ts';
import { checkTarget, connectEngine } from './find-stack.ts';
import { renderOrThrow } from './stages.ts';

/** A message to compose: https://github.com/docker/compose/blob/main/docs/extension.md. Versions before 5 refuse other types. */
type Message = 'info' | 'error' | 'setenv' | 'debug';

/** What `provider.options` may have; each may be a list, but for the name. */
const optionsKnown = {
  file: 'the stack file, or several to merge',
  env_file: 'env files, in place of .env beside the stack file',
  name: 'the name of the stack',
  networks: 'the networks to join; by default all that compose creates for the project',
} as const;

export const command = defineCommand({
  details:
    'docker compose calls this for a service with `provider: {type: promstack}`, and reads what it prints: a line of JSON ' +
    'for each message. Options of the provider: ' +
    Object.entries(optionsKnown)
      .map(([name, what]) => `\`${name}\`, ${what}`)
      .join('; ') +
    '. `down` keeps all volumes.',
  examples: [
    { line: 'compose --project-name=shop up --file=stack.yml monitoring', what: 'as docker compose up calls it' },
    { line: 'compose --project-name=shop down monitoring', what: 'as docker compose down calls it' },
  ],
  syntax: (blank) => blank.allowUnknownOption().passThroughOptions().argument('[words...]', 'what compose passes'),
  json: () => z.strictObject({}),
  jsonLine: () => z.strictObject({ type: z.enum(['info', 'error', 'setenv', 'debug']), message: z.string() }),
  run: async (context, _options, [words]) => {
    // Compose leaves out the options that its metadata does not list, so that a misspelt one would be ignored. It passes all
    // options to a provider that lists none.
    if (words[0] === 'metadata') {
      context.stdout.writeJson({});
      return exitCodes.fine;
    }
    const send = (type: Message, message: string): void => context.stdout.writeJson({ type, message });
    const reporting = { ...context, report: toMessages(send, context.clock) };
    try {
      const call = parseCall(words);
      if (call.verb === 'up') await up(reporting, call, send);
      else await down(reporting, call, send);
      context.result({});
      return exitCodes.fine;
    } catch (error) {
      if (isAbort(error, context.signal)) throw error;
      const { text, exitCode } = explain(error, context);
      send('error', text);
      return exitCode;
    }
  },
});

interface Call {
  readonly verb: 'up' | 'down';
  readonly project: string;
  readonly service: string;
  readonly files: readonly string[];
  readonly envFiles: readonly string[];
  readonly name: string | undefined;
  readonly networks: readonly string[];
}

/** Parses `--project-name=shop up --file=stack.yml monitoring`; throws an InputError for anything else. */
function parseCall(words: readonly string[]): Call {
  const values = new Map<string, string[]>();
  const operands: string[] = [];
  for (const word of words) {
    const [, name, value] = /^--([^=]+)=(.*)$/s.exec(word) ?? [];
    if (name === undefined || value === undefined) operands.push(word);
    else values.set(name, [...(values.get(name) ?? []), value]);
  }
  const [verb, service, ...rest] = operands;
  const project = values.get('project-name')?.at(-1);
  values.delete('project-name');
  const isCall = (verb === 'up' || verb === 'down') && service !== undefined && rest.length === 0;
  if (!isCall || project === undefined) {
    const hint = 'it is for docker compose, which calls it for a service with `provider: {type: promstack}`';
    throw new InputError([misuse('promstack compose needs --project-name=NAME, up or down, and a service', hint)]);
  }
  const known = Object.keys(optionsKnown);
  const unknown = [...values.keys()].filter((name) => !known.includes(name));
  const [name, ...moreNames] = values.get('name') ?? [];
  const problems = [
    ...unknown.map((option) =>
      misuse(`unknown option ${quoted(option)} of the provider promstack`, `known options: ${known.join(', ')}`),
    ),
    ...(moreNames.length > 0 ? [misuse('the option `name` of the provider promstack takes one name')] : []),
  ];
  if (problems.length > 0) throw new InputError(problems);
  const [files = [], envFiles = [], networks = []] = ['file', 'env_file', 'networks'].map((list) => values.get(list));
  return { verb, project, service, files, envFiles, name, networks };
}

type Send = (type: Message, message: string) => void;

async function up(context: Context, call: Call, send: Send): Promise<void> {
  await checkTarget({ ...context, file: call.files, envFile: call.envFiles });
  await using engine = await connectEngine(context);
  const { project, service } = call;
  const compose = { project, service, networks: await projectNetworks(engine, project, call.networks) };
  const options = { connecting: Promise.resolve(engine), compose, name: call.name };
  const find = (files: readonly string[]) => Promise.all(files.map((file) => findUpwards(file, context.cwd)));
  const [file, envFile] = [await find(call.files), await find(call.envFiles)];
  const rendering = await renderOrThrow({ ...context, file, envFile }, options);
  const stack = rendering.config.name;
  await refuseOther(engine, stack, compose);
  const run = { ...context, engine, rendering, command: 'compose up', waitMs: lockWaitMs };
  const changed = await changeStack(run).catch(rethrowForCompose);
  const [result = ''] = printChanged(changed).split('\n');
  send('info', result);
  for (const { service } of rendering.services.filter(({ container }) => isForApps(container.service))) {
    const published = changed.urls.find((entry) => entry.service === service.name)?.url;
    // Outside of a network, as with `network_mode: host`, an app reaches only what is published.
    const url =
      compose.networks.length === 0
        ? published
        : `${schemeOf(rendering.config, service.name)}://${names.container(stack, service.name)}:${service.port}`;
    if (url !== undefined) send('setenv', `${service.name.toUpperCase()}_URL=${url}`);
  }
}

/** A stack can be a part of one project only: it has the networks of one, and goes down with it. */
async function refuseOther(engine: Engine, stack: string, { project, service }: ComposeProject): Promise<void> {
  const current = composeProjectOf(await engine.listContainers({ [stackLabel]: stack }));
  if (current === undefined || (current.project === project && current.service === service)) return;
  const owner =
    current.project === project ? `its service ${current.service}` : `the compose project ${current.project}`;
  throw new StackError({
    doing: `starting the stack ${stack} for the compose project ${project}`,
    why: `it runs as part of ${owner}, with which it also goes down`,
    tryThis: `set the option \`name\` of the provider, for a stack of its own; or \`promstack down -p ${stack}\` first, which keeps its data`,
  });
}

function rethrowForCompose(error: unknown): never {
  if (!(error instanceof OtherOriginError)) throw error;
  const { doing, why } = error;
  const tryThis =
    '`promstack up --yes` manages it from here; for a stack of its own, set the option `name` of the provider';
  throw new StackError({ doing, why, tryThis, cause: error });
}

/** Takes down only what `up` has started; a file of the stack is not needed for this, and may have mistakes. */
async function down(context: Context, { project, service }: Call, send: Send): Promise<void> {
  await using engine = await connectEngine(context);
  const containers = await engine.listContainers({ [stackLabel]: '' });
  const stacks = [...new Set(containers.map(({ labels }) => labels[stackLabel] ?? ''))].filter((stack) => {
    const current = composeProjectOf(containers.filter(({ labels }) => labels[stackLabel] === stack));
    return current?.project === project && current.service === service;
  });
  for (const stack of stacks) {
    await takeDown({ ...context, engine, stack, volumes: false, waitMs: lockWaitMs });
    send('info', `${stack}: removed, its volumes are kept`);
  }
  if (stacks.length === 0) send('info', 'no stack runs as this service');
}

/** How long the lock of a stack is waited for. */
const lockWaitMs = 60_000;

/** The file in this folder or in the nearest parent: compose, which has found its own file like this, runs where it was called. */
async function findUpwards(file: string, cwd: string): Promise<string> {
  if (isAbsolute(file)) return file;
  for (let folder = cwd; ; folder = dirname(folder)) {
    if (await pathExists(join(folder, file))) return join(folder, file);
    if (folder === dirname(folder)) return file;
  }
}

/** Compose shows the last message beside the service. */
function toMessages(send: Send, clock: Clock): Report {
  let [last, sentAt] = ['', 0];
  return (event) => {
    const text = 'isInternal' in event && event.isInternal === true ? undefined : textOf(event);
    const isTooSoon = event.kind === 'progress' && clock.now() - sentAt < progressMs;
    if (text === undefined || text === last || isTooSoon) return;
    [last, sentAt] = [text, clock.now()];
    send('info', text);
  };
}

const progressMs = 1_000;

/** One line, or none for what needs no message. */
function textOf(event: Event): string | undefined {
  switch (event.kind) {
    case 'started':
      return event.what;
    case 'progress':
      return `${event.what}: ${event.detail}`;
    case 'note':
      return event.text;
    case 'warning':
      return `warning: ${event.text.replaceAll(/\n\s*/g, '; ')}`;
    case 'diagnostic': {
      const { where, severity, message } = event.diagnostic;
      return `${severity}: ${where === undefined ? '' : `${where.file}:${where.line}:${where.column} `}${message}`;
    }
    default:
      return undefined;
  }
}

/** The text of an error as on a terminal, without the mark that compose adds. */
function explain(error: unknown, { cwd, verbose }: Context): { readonly text: string; readonly exitCode: ExitCode } {
  const readSource = sourceReader(cwd);
  const { text, exitCode } = explainFailure(error, {
    colours: coloursFor({ isTerminal: false, env: {}, noColourFlag: true }),
    verbose,
    stackName: undefined,
    wasShown: () => false,
    printDiagnostics: (diagnostics) => printDiagnostics(diagnostics, readSource, false),
  });
  return { text: text.trim().replace(/^\u2716 /, ''), exitCode };
}
