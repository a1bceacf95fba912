import { isAbsolute } from 'node:path';
import { InvalidArgumentError } from 'commander';
import * as z from 'zod';
import type { Changed } from '../../apply/change.ts';
import { takeDown } from '../../apply/take-down.ts';
import type { Engine } from '../../engine/engine.ts';
import { setUpEngine } from '../../engine/setup.ts';
import { names } from '../../state/names.ts';
import { misuse } from '../../util/misuse.ts';
import { InputError, StackError } from '../../util/stack-error.ts';
import { type Context, exitCodes } from '../context.ts';
import { bringUpDemo, demoStackName, type RunningDemo } from '../demo/bring-up.ts';
import { type Delivery, deliveries } from '../demo/deliveries.ts';
import { findScenario, shippedScenarios } from '../demo/scenario.ts';
import { ejectScenario, showScenario } from '../demo/scenario-demo.ts';
import { changedSchema, removedSchema, toJsonChanged, toRemoved } from '../json/change.ts';
import { timeSchema } from '../json/schema.ts';
import { printChanged, printRemoved } from '../print/change.ts';
import { printDelivery, printGuide } from '../print/demo.ts';
import { printScenarios, printSeen, printSignIn, printStep } from '../print/scenario.ts';
import { readWait, waitOption } from './arguments.ts';
import { defineCommand } from './command.ts';
import { connectEngine } from './find-stack.ts';

/** The first incident begins 10 s after the start; push, scrape, evaluation and grouping take about 15 s more. */
const deliveryMs = 120_000;

export const command = defineCommand({
  details:
    'Starts a separate stack, promstack-demo, with a source that keeps pushing sample metrics and an alert that ' +
    'fires within half a minute and resolves later; both notifications are printed as they arrive at the sink. On ' +
    'a terminal it prints them until Ctrl-C; otherwise it ends after one alert has fired and resolved. The demo ' +
    'keeps running. With --name, several demos can run side by side, each on its own ports. On Debian and Ubuntu, ' +
    'as root, a missing Docker engine is installed and started first. Images that cannot be pulled are built from ' +
    'Debian packages.',
  examples: [
    { line: 'demo', what: 'start it and watch' },
    { line: 'demo --detach', what: 'start it and return' },
    { line: 'demo --down', what: 'remove it with its data' },
    { line: 'demo --name talk', what: 'start a second one, promstack-demo-talk' },
    { line: 'demo --list', what: 'list the scenarios' },
    { line: 'demo --scenario disk-full', what: 'play an incident from the push to the notification, step by step' },
    {
      line: 'demo --scenario disk-full --eject my-demo',
      what: 'copy it, to change it; --scenario ./my-demo plays that',
    },
  ],
  syntax: (blank) =>
    blank
      .option('--detach', 'return once it is up; the source keeps running')
      .option('--down', 'remove the demo with its data')
      .option('--name <name>', 'start a separate demo, promstack-demo-NAME', readName)
      .option('--list', 'list the scenarios')
      .option('--scenario <scenario>', 'play a scenario: its name, or a folder with a scenario.yml')
      .option('--speed <factor>', 'with --scenario: how much shorter its pauses and steps are (default: 1)', readSpeed)
      .option('--eject <folder>', 'with --scenario: copy it into a new folder, and start nothing')
      .option('--no-setup', 'never install an engine')
      .option(...waitOption),
  json: () =>
    z
      .strictObject({
        ...demoSchema().shape,
        removed: removedSchema().describe('with --down'),
        scenarios: z.array(z.strictObject({ name: z.string(), title: z.string() })).describe('with --list'),
        folder: z.string().describe('with --eject: the new folder'),
      })
      .partial(),
  jsonLine: () =>
    z.discriminatedUnion('kind', [
      z.strictObject({ kind: z.literal('up'), ...demoSchema().shape }),
      z.strictObject({
        kind: z.literal('notification'),
        status: z.enum(['firing', 'resolved']),
        alertname: z.string(),
        summary: z.string(),
        startsAt: timeSchema(),
      }),
      z
        .strictObject({
          kind: z.literal('step'),
          step: z.number().describe('from 1'),
          steps: z.number(),
          text: z.string(),
          seen: z.array(z.string()),
          urls: z.array(z.string()).describe('pages that show it'),
          seconds: z.number(),
        })
        .describe('with --scenario'),
    ]),
  run: async (context, given) => {
    refuseUnused(given);
    const { detach, down, setup, name: suffixGiven, wait, list, scenario: named, speed, eject } = given;
    if (list === true) {
      const scenarios = await shippedScenarios();
      context.result({ scenarios: scenarios.map(({ name, title }) => ({ name, title })) });
      context.stdout.write(printScenarios(scenarios, context.stdout.columns()));
      return exitCodes.fine;
    }
    const scenario = named === undefined ? undefined : await findScenario(named, context.cwd);
    if (scenario !== undefined && eject !== undefined) {
      const folder = await ejectScenario(scenario, eject, context.cwd);
      context.result({ folder });
      const text = `wrote ${folder}; next: promstack demo --scenario ${isAbsolute(folder) ? folder : `./${folder}`}`;
      context.report({ kind: 'note', isResult: true, text });
      return exitCodes.fine;
    }
    const suffix = suffixGiven ?? scenario?.name;
    if (suffix !== undefined && !isSuffix(suffix)) {
      const message = `--scenario ${named}: the name of its folder does not fit into that of a stack`;
      throw new InputError([misuse(message, 'name the demo: --name talk')]);
    }
    const name = demoStackName(suffix);
    context.nameStack(name);
    const waitMs = readWait(wait);
    if (down === true) {
      const removed = await removeDemo(context, name, waitMs);
      context.result({ removed });
      context.stdout.write(printRemoved(name, removed, { volumes: true }));
      return exitCodes.fine;
    }
    await using engine = setup ? await setUpEngine(context.report, context.signal) : await connectEngine(context);
    const { env, report, clock, signal, stdout } = context;
    if (scenario !== undefined) {
      const incident = await showScenario(scenario, {
        run: { engine, env, report, clock, signal, waitMs },
        name,
        speed: speed ?? 1,
        onUp: (running, dashboard) => {
          context.result(toJsonDemo(running));
          context.line({ kind: 'up', ...toJsonDemo(running) });
          const { changed, password } = running;
          const [text, ...revealed] = printSignIn(dashboard, password);
          stdout.write(`${printChanged(changed)}${text}\n${scenario.title}\n\n`, ...revealed);
        },
        onStart: (step) => stdout.write(printStep(step, stdout)),
        onEnd: (step) => {
          const { say: text, seen, look: urls, tookMs, ...rest } = step;
          context.line({ kind: 'step', ...rest, text, seen, urls, seconds: tookMs / 1_000 });
          stdout.write(printSeen(step, stdout));
        },
      });
      const remove = `${programOf(env)} demo --scenario ${named}${suffixGiven === undefined ? '' : ` --name ${suffixGiven}`} --down`;
      if (incident !== undefined) stdout.write(`\nThe incident on the dashboard:\n  ${incident}\n`);
      stdout.write(`\nThe demo keeps running. To remove it:\n  ${remove}\n`);
      return exitCodes.fine;
    }
    const since = new Date(clock.now());
    const demo = await bringUpDemo({ engine, name, env, report, clock, signal, waitMs });
    const { changed } = demo;
    const promstack = programOf(env);
    const again = `${promstack} demo${suffix === undefined ? '' : ` --name ${suffix}`}`;
    const result = toJsonDemo(demo);
    context.result(result);
    stdout.write(
      printChanged(changed) + printGuide(demo, { promstack, demo: again }),
      ...(demo.password === undefined ? [] : [demo.password]),
    );
    if (detach === true) return exitCodes.fine;
    context.line({ kind: 'up', ...result });
    await beginIncident(context, engine, changed);
    await follow(context, engine, changed, since, (delivery) => {
      context.line({ kind: 'notification', ...delivery });
      stdout.write(printDelivery(delivery, stdout.colours));
    });
    stdout.write(`\nThe demo keeps running. To remove it: ${again} --down\n`);
    return exitCodes.fine;
  },
});

/** The options that say what to do, and those that go with each. */
const modes: ReadonlyMap<string, readonly string[]> = new Map([
  ['list', []],
  ['eject', ['scenario']],
  ['down', ['scenario', 'name', 'wait']],
  ['scenario', ['name', 'speed', 'wait']],
]);

/** `--no-setup` goes with all: nothing is installed. */
const demoOptions = ['list', 'eject', 'down', 'scenario', 'detach', 'name', 'speed', 'wait'] as const;

/** Refuses options that would do nothing. */
function refuseUnused(given: { readonly [Name in (typeof demoOptions)[number]]?: unknown }): void {
  const names = demoOptions.filter((name) => given[name] !== undefined);
  const mode = names.find((name) => modes.has(name));
  if (mode !== 'list' && !names.includes('scenario') && (names.includes('eject') || names.includes('speed'))) {
    const message = names.includes('eject') ? '--eject copies a scenario' : '--speed is that of a scenario';
    throw new InputError([misuse(message, 'name one with --scenario; --list lists them')]);
  }
  const unused = names.find((name) => name !== mode && modes.get(mode ?? '')?.includes(name) === false);
  if (unused === undefined) return;
  const message = mode === 'scenario' ? `--${unused}: a scenario ends by itself` : `--${mode} takes no --${unused}`;
  throw new InputError([misuse(message, `leave out --${unused}, or --${mode}`)]);
}

function demoSchema() {
  return changedSchema().extend({
    omittedServices: z
      .array(z.strictObject({ service: z.string(), image: z.string(), reason: z.string() }))
      .describe('services whose image is not available'),
  });
}

function toJsonDemo({ changed, leftOut }: RunningDemo) {
  const omittedServices = leftOut.map(({ service, image, why }) => ({ service, image, reason: why }));
  return { ...toJsonChanged(changed), omittedServices };
}

/** The suffix of a demo's stack name, which has a limited length. */
function readName(text: string): string {
  if (isSuffix(text)) return text;
  throw new InvalidArgumentError(
    'Use at most 26 lower-case letters, digits, - and _, beginning with a letter or digit.',
  );
}

const isSuffix = (text: string): boolean => /^[a-z0-9][a-z0-9_-]{0,25}$/.test(text);

function readSpeed(text: string): number {
  const speed = Number(text);
  if (speed >= 0.1 && speed <= 100) return speed;
  throw new InvalidArgumentError('Use a number from 0.1 to 100; 2 halves the pauses.');
}

async function removeDemo(context: Context, name: string, waitMs: number | undefined) {
  await using engine = await connectEngine(context);
  const { env, report, clock, signal } = context;
  const { steps } = await takeDown({ engine, stack: name, volumes: true, env, report, clock, signal, waitMs });
  return toRemoved(steps);
}

/** Restarts a source that was already running: its first incident begins within seconds, the next one within minutes. */
async function beginIncident(context: Context, engine: Engine, { plan }: Changed): Promise<void> {
  const wasRunning = plan.changes.some(({ service, action }) => service === 'traffic' && action === 'none');
  const source = wasRunning ? await engine.findContainer(names.container(plan.stack, 'traffic')) : undefined;
  if (source === undefined) return;
  const text = 'restarting the source, so that its next incident comes within seconds';
  context.report({ kind: 'note', text });
  await engine.stopContainer(source.id, 2);
  await engine.startContainer(source.id);
}

/** Prints each notification that arrives at the sink: on a terminal until Ctrl-C, otherwise until an alert has resolved. */
async function follow(
  context: Context,
  engine: Engine,
  { plan, urls }: Changed,
  since: Date,
  onDelivery: (delivery: Delivery) => void,
): Promise<void> {
  const { stdout, signal } = context;
  const sink = await engine.findContainer(names.container(plan.stack, 'sink'));
  if (sink === undefined) {
    throw new StackError({ doing: 'following the sink of the demo', why: 'its container was removed' });
  }
  const watches = stdout.isTerminal;
  const end = watches ? signal : AbortSignal.any([signal, AbortSignal.timeout(deliveryMs)]);
  const until = watches ? 'until Ctrl-C; the demo keeps running' : 'until one has fired and resolved';
  context.report({ kind: 'note', text: `showing alerts as they arrive at the sink, ${until}` });
  const fired = new Set<string>();
  try {
    for await (const delivery of deliveries(engine, sink.id, since, end)) {
      onDelivery(delivery);
      if (delivery.status === 'firing') fired.add(delivery.alertname);
      else if (!watches && fired.has(delivery.alertname)) return;
    }
  } catch (error) {
    if (!end.aborted) throw error;
  }
  if (watches) return;
  signal.throwIfAborted();
  const urlOf = (service: string): string => urls.find((entry) => entry.service === service)?.url ?? '';
  const received = fired.size === 0 ? 'no alert' : `${[...fired].join(', ')} firing but not resolved`;
  throw new StackError({
    doing: 'waiting for an alert to fire and resolve',
    why: `the sink received ${received} within ${deliveryMs / 1000} s`,
    tryThis: `look for it at ${urlOf('prometheus')}/alerts and ${urlOf('alertmanager')}`,
  });
}

/** How the user runs promstack: with npx, with npm in a checkout, or directly. */
function programOf(env: NodeJS.ProcessEnv): string {
  if (env['npm_command'] === 'exec' && /\bpromstack\b/.test(env['npm_lifecycle_script'] ?? '')) return 'npx promstack';
  return env['npm_package_name'] === 'promstack' ? 'npm run -s promstack --' : 'promstack';
}
