import type { StackConfig } from '../../../stack/config.ts';
import type { Diagnostic } from '../../../stack/diagnostic.ts';
import { counted } from '../../../stack/values/words.ts';
import { checkRendering } from '../../check/check.ts';
import { cachedRunner, checkedCache } from '../../check/checked-cache.ts';
import { containerRunner } from '../../check/container-runner.ts';
import { hostRunner, noEngine, noImage } from '../../check/host-runner.ts';
import { lintRendering } from '../../check/lint.ts';
import { withOwnTests } from '../../check/own-tests.ts';
import type { FindImage, OpenRunner } from '../../check/runner.ts';
import type { Engine } from '../../engine/engine.ts';
import { findImages } from '../../engine/images/ensure.ts';
import type { Rendering } from '../../render/rendering.ts';
import { PrometheusClient } from '../../servers/prometheus.ts';
import { NoAnswerError, openServers } from '../../servers/servers.ts';
import { InputError, StackError } from '../../util/stack-error.ts';
import { type Context, type ExitCode, exitCodes } from '../context.ts';
import { countDiagnostics } from '../print/diagnostics.ts';
import { defineCommand } from './command.ts';
import { connectEngine, renderOrThrow } from './stages.ts';

export const command = defineCommand({
  details:
    'Validates stack.yml and the templates, then the rendered files with promtool, amtool and the rule tests in ' +
    'the images that will run them, fills in the labels and annotations of alerts with sample values, and runs the ' +
    'tests in tests/ against routes and inhibit rules. Warns about ' +
    'valid configuration that is probably a mistake. Without an engine or an image, the tools on PATH are used; ' +
    'checks that could not run are reported. Changes nothing. Exits 2 when a check fails.',
  examples: [{ line: 'check --strict', what: 'for CI: fail on warnings too' }],
  syntax: (command) => command.option('--strict', 'treat warnings as errors'),
  run: async (context, { strict }) => {
    const diagnostics: Diagnostic[] = [];
    const { cwd, env, file, stackName, signal } = context;
    const collect: Context['report'] = (event) => {
      if (event.kind === 'diagnostic') diagnostics.push(event.diagnostic);
      else context.report(event);
    };
    const rendering = await orDiagnostics(
      renderOrThrow({ cwd, env, file, stackName, signal, report: collect }),
      diagnostics,
    );
    if (rendering !== undefined) {
      const tested = await withOwnTests(rendering);
      diagnostics.push(...tested.diagnostics, ...(await checkWithEngine(context, tested.rendering)));
    }
    const isValid = !diagnostics.some(
      ({ severity }) => severity === 'error' || (severity === 'warning' && strict === true),
    );
    return print(context, { rendering, isValid, diagnostics });
  },
});

async function orDiagnostics(rendering: Promise<Rendering>, diagnostics: Diagnostic[]): Promise<Rendering | undefined> {
  try {
    return await rendering;
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    diagnostics.push(...error.diagnostics);
    return undefined;
  }
}

async function checkWithEngine(context: Context, rendering: Rendering): Promise<readonly Diagnostic[]> {
  await using engine = await engineIfAny(context);
  const metrics = engine && (await liveMetrics(engine, rendering.config, context.signal));
  const open =
    engine === undefined ? hostRunner(context.env, noEngine) : await imageRunner(engine, rendering, context.env);
  const byTools = await checkRendering(rendering, open, context.report, context.signal);
  return [...lintRendering(rendering, metrics), ...byTools];
}

/** The metric names in the stack's Prometheus; undefined when it does not respond, or has not scraped every target yet. */
async function liveMetrics(
  engine: Engine,
  config: StackConfig,
  signal: AbortSignal,
): Promise<ReadonlySet<string> | undefined> {
  const servers = await openServers(engine, config, signal);
  try {
    return await new PrometheusClient(servers).metricNames();
  } catch (error) {
    if (error instanceof NoAnswerError) return undefined;
    throw error;
  } finally {
    servers.close();
  }
}

async function engineIfAny(context: Context): Promise<Engine | undefined> {
  try {
    return await connectEngine(context);
  } catch (error) {
    if (error instanceof StackError) return undefined;
    throw error;
  }
}

/** Images from a mirror or from packages have different names than in stack.yml. */
async function imageRunner(engine: Engine, { config, services }: Rendering, env: Context['env']): Promise<OpenRunner> {
  const references = services.map(({ container }) => ({ service: container.service, reference: container.image }));
  const images = await findImages(engine, references, config.images);
  const fallback = hostRunner(env, noImage);
  const findImage: FindImage = async (reference) => images.get(reference);
  return cachedRunner(containerRunner(engine, config.name, findImage, fallback), checkedCache(env), findImage);
}

function print(
  { stdout, json, report }: Context,
  {
    rendering,
    isValid,
    diagnostics,
  }: { rendering: Rendering | undefined; isValid: boolean; diagnostics: readonly Diagnostic[] },
): ExitCode {
  if (json) {
    stdout.write(`${JSON.stringify({ isValid, revision: rendering?.revision, diagnostics })}\n`);
    return isValid ? exitCodes.fine : exitCodes.wrongInput;
  }
  if (!isValid || rendering === undefined) throw new InputError(diagnostics);
  for (const diagnostic of diagnostics) report({ kind: 'diagnostic', diagnostic });
  const files = rendering.services.reduce((sum, service) => sum + service.files.length, 0);
  const counts = diagnostics.length === 0 ? '' : `, ${countDiagnostics(diagnostics)}`;
  stdout.write(
    `${rendering.config.name}: ${counted(files, 'file')} for ${counted(rendering.services.length, 'service')} ${files === 1 ? 'is' : 'are'} valid${counts} (revision ${rendering.revision})\n`,
  );
  return exitCodes.fine;
}
