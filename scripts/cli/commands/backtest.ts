import { basename, resolve } from 'node:path';
import { type AlertRule, titleOf } from '../../../stack/alert.ts';
import { ruleFileProblems } from '../../../stack/prometheus/rule-file.ts';
import { closest } from '../../../stack/values/closest.ts';
import { counted } from '../../../stack/values/words.ts';
import { checkYaml } from '../../config/user-files.ts';
import type { Engine } from '../../engine/engine.ts';
import { type Backtest, runBacktest } from '../../inspect/backtest/backtest.ts';
import { alertsOf, type StackFiles } from '../../plan/alert-impact.ts';
import { planStack } from '../../plan/plan-stack.ts';
import type { Rendering } from '../../render/rendering.ts';
import { PrometheusClient } from '../../servers/prometheus.ts';
import { openServers } from '../../servers/servers.ts';
import { deadlineIn } from '../../util/clock.ts';
import { displayPath } from '../../util/display-path.ts';
import { misuse } from '../../util/misuse.ts';
import { readTextSync } from '../../util/read-text.ts';
import { InputError } from '../../util/stack-error.ts';
import { type Context, type ExitCode, exitCodes } from '../context.ts';
import { backtestSchema, toJsonBacktest } from '../json/backtest.ts';
import { printBacktest } from '../print/backtest.ts';
import { readDuration, readMaxFires } from './arguments.ts';
import { defineCommand } from './command.ts';
import { renderAndConnect } from './stages.ts';

export const command = defineCommand({
  details:
    'Evaluates alerts over the samples of the running Prometheus: how often each would have fired, for how long, and for which ' +
    'receivers; of a changed alert, both as it runs and as in stack.yml. Without an alert, those that stack.yml adds or ' +
    'changes. Prometheus executes the queries; nothing is changed and nobody is notified.',
  examples: [
    { line: 'backtest', what: 'the alerts that stack.yml adds or changes, over 7 days' },
    { line: 'backtest DiskFull --since 14d', what: 'one alert' },
    {
      line: 'backtest --file draft.yml --max-fires 10',
      what: 'a rule file; fail if one of its alerts fires more often',
    },
  ],
  syntax: (blank) =>
    blank
      .argument('[alert]', 'name of an alert')
      .option('--all', 'every alert of the stack')
      .option('--file <path>', 'the alerts of this rule file, which stack.yml need not name')
      .option('--since <duration>', 'how far to go back', '7d')
      .option('--max-fires <number>', 'exit 1 if an alert fires more often')
      .option('--timeout <duration>', 'how long the queries may take together', '2m'),
  json: backtestSchema,
  run: async (context, { all, file, since, maxFires, timeout }, [name]) => {
    const options = { sinceMs: readDuration('--since', since), timeoutMs: readDuration('--timeout', timeout) };
    const limit = readMaxFires(maxFires);
    if (all === true && (name !== undefined || file !== undefined))
      throw new InputError([misuse('--all is for every alert', `leave out ${name ?? `--file ${file}`}`)]);
    const draft = file === undefined ? undefined : await readRuleFile(context, file);
    const connected = await renderAndConnect(context, { needsSecrets: false });
    await using engine = connected.engine;
    const { rendering } = connected;
    requireRules(rendering);
    const { stackFiles } = await planStack({ engine, rendering, recreate: false });
    const { before } = stackFiles;
    const after = draft === undefined ? stackFiles.after : withOnly(stackFiles.after, draft);
    const known = alertsOf(after).map((alert) => alert.name);
    if (name !== undefined && !known.includes(name)) throw new InputError([unknownAlert(name, known, file)]);
    const isWanted = (alert: AlertRule, isChanged: boolean): boolean =>
      name === undefined ? isChanged || all === true || draft !== undefined : alert.name === name;
    const backtest = await backtestStack(context, engine, rendering, { ...options, before, after, isWanted });
    context.result(toJsonBacktest(backtest));
    if (backtest.alerts.length === 0) {
      const text =
        draft === undefined ? 'stack.yml adds or changes no alert: name one, or use --all' : `${file} defines no alert`;
      context.report({ kind: 'note', isResult: true, text });
      return exitCodes.fine;
    }
    context.stdout.write(printBacktest(backtest, context.stdout.colours));
    return assessBacktest(context, backtest, limit);
  },
});

/** Evaluates alerts of two sets of files over the history of the stack's Prometheus. */
export async function backtestStack(
  { clock, signal }: Pick<Context, 'clock' | 'signal'>,
  engine: Engine,
  { config }: Pick<Rendering, 'config'>,
  options: {
    readonly before: StackFiles;
    readonly after: StackFiles;
    readonly isWanted: (alert: AlertRule, isChanged: boolean) => boolean;
    readonly sinceMs: number;
    readonly timeoutMs: number;
  },
): Promise<Backtest> {
  const { sinceMs, timeoutMs, ...sets } = options;
  const deadline = deadlineIn(timeoutMs);
  const servers = await openServers(engine, config, AbortSignal.any([signal, deadline]));
  try {
    await servers.mustRun('prometheus');
    const toMs = clock.now();
    const window = { fromMs: toMs - sinceMs, toMs };
    return await runBacktest({ client: new PrometheusClient(servers), ...sets, window, deadline, signal });
  } finally {
    servers.close();
  }
}

/** Reports alerts that fire too often, and those that could not be evaluated. */
export function assessBacktest(
  { report }: Pick<Context, 'report'>,
  { alerts }: Backtest,
  maxFires = Number.POSITIVE_INFINITY,
): ExitCode {
  const noisy = alerts.filter(({ after }) => (after?.firings.length ?? 0) > maxFires);
  for (const { alert, after } of noisy) {
    const times = counted(after?.firings.length ?? 0, 'time');
    report({
      kind: 'warning',
      isResult: true,
      text: `${titleOf(alert)} fires ${times}, more than --max-fires ${maxFires}`,
    });
  }
  const failed = alerts.filter(({ after }) => after === undefined);
  if (failed.length > 0) {
    report({ kind: 'warning', isResult: true, text: `${counted(failed.length, 'alert')} could not be evaluated` });
  }
  return noisy.length + failed.length > 0 ? exitCodes.refused : exitCodes.fine;
}

/** Throws an InputError when the stack evaluates no rules. */
export function requireRules({ config: { prometheus } }: Pick<Rendering, 'config'>): void {
  if (prometheus.enabled && prometheus.mode === 'server') return;
  const hint = 'enable Prometheus, in server mode';
  throw new InputError([misuse('this stack has no Prometheus that evaluates alerts', hint)]);
}

async function readRuleFile({ cwd, report }: Pick<Context, 'cwd' | 'report'>, file: string) {
  const path = resolve(cwd, file);
  const origin = displayPath(path, cwd);
  const content = readTextSync(path);
  if (typeof content !== 'string')
    throw new InputError([misuse(`--file: the file ${origin} ${content.because}`, content.hint)]);
  const diagnostics = await checkYaml(content, origin, ruleFileProblems);
  if (diagnostics.some(({ severity }) => severity === 'error')) throw new InputError(diagnostics);
  for (const diagnostic of diagnostics) report({ kind: 'diagnostic', diagnostic });
  return {
    service: 'prometheus',
    path: `rules/${basename(file).replace(/(?:\.ya?ml)?$/, '.yml')}`,
    content,
    origin,
    mode: 0o644,
  };
}

/** The files of a stack whose only rule file is this one. */
function withOnly(stack: StackFiles, draft: Awaited<ReturnType<typeof readRuleFile>>): StackFiles {
  return stack.map(({ service, files }) =>
    service.alerts === undefined
      ? { service, files }
      : { service, files: [...files.filter(({ path }) => !path.startsWith('rules/')), draft] },
  );
}

function unknownAlert(name: string, known: readonly string[], file: string | undefined) {
  const near = closest(name, known);
  const hint = near === undefined ? '`promstack backtest --all` lists all alerts' : `did you mean ${near}?`;
  return misuse(`${file ?? 'this stack'} has no alert ${name}`, hint);
}
