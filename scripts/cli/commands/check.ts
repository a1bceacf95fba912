import { Option } from '@commander-js/extra-typings';
import * as z from 'zod';
import type { StackConfig } from '../../../stack/config.ts';
import type { Diagnostic } from '../../../stack/diagnostic.ts';
import type { LiveSeries } from '../../../stack/lint/linted-alert.ts';
import { andList, counted } from '../../../stack/values/words.ts';
import { checkRendering } from '../../check/check.ts';
import { cachedRunner, checkedCache } from '../../check/checked-cache.ts';
import { containerRunner } from '../../check/container-runner.ts';
import { hostRunner, noEngine, noImage } from '../../check/host-runner.ts';
import { lintRendering, noteRendering } from '../../check/lint.ts';
import { withOwnTests } from '../../check/own-tests.ts';
import type { FindImage, OpenRunner } from '../../check/runner.ts';
import type { Engine } from '../../engine/engine.ts';
import { findImages } from '../../engine/images/ensure.ts';
import { forRunningImages, withRunningImages } from '../../plan/substitutes.ts';
import type { Rendering } from '../../render/rendering.ts';
import { PrometheusClient } from '../../servers/prometheus.ts';
import { NoAnswerError, openServers } from '../../servers/servers.ts';
import { misuse } from '../../util/misuse.ts';
import { InputError, StackError } from '../../util/stack-error.ts';
import { type Context, type ExitCode, exitCodes } from '../context.ts';
import { envelopeOf } from '../json/envelope.ts';
import { type CheckReport, githubCommands, junit, markdown, sarif } from '../print/check-formats.ts';
import { countDiagnostics } from '../print/diagnostics.ts';
import { defineCommand } from './command.ts';
import { connectEngine } from './find-stack.ts';
import { renderOrThrow } from './stages.ts';

export const command = defineCommand({
  details:
    'Validates stack.yml and the templates, then the rendered files with promtool, amtool and the rule tests in ' +
    'the images that will run them, fills in the labels and annotations of alerts with sample values, and runs the ' +
    'tests in tests/ against routes and inhibit rules. Warns about ' +
    'valid configuration that is probably a mistake. Without an engine or an image, the tools on PATH are used; ' +
    'without those, it exits 4. Changes nothing. Exits 2 when a check fails.',
  examples: [
    { line: 'check --strict', what: 'for CI: fail on warnings too' },
    { line: 'check --format github', what: 'annotations at their lines in GitHub Actions' },
    { line: 'check --format sarif > check.sarif', what: 'for code scanning' },
  ],
  syntax: (command) =>
    command
      .option('--strict', 'treat warnings as errors')
      .addOption(
        new Option('--format <format>', 'print the result for another program')
          .choices(['text', 'github', 'sarif', 'junit', 'json', 'markdown'] as const)
          .default('text' as const),
      ),
  json: () =>
    z.strictObject({
      revision: z.string().optional().describe('absent when the files could not be rendered'),
      missingTools: z.array(z.string()).describe('tools that could not run; without any, all files were checked'),
    }),
  run: async (context, { strict, format }) => {
    if (context.json && format !== 'text') {
      throw new InputError([misuse('--json and --format cannot be combined', '--format json prints the same')]);
    }
    const diagnostics: Diagnostic[] = [];
    const tools = new UsedTools();
    const collect: Context['report'] = (event) => {
      if (event.kind === 'diagnostic') diagnostics.push(event.diagnostic);
      else context.report(event);
    };
    const rendering = await orDiagnostics(renderOrThrow({ ...context, report: collect }), diagnostics);
    if (rendering !== undefined) {
      const tested = await withOwnTests(rendering);
      diagnostics.push(...tested.diagnostics, ...(await checkWithEngine(context, tested.rendering, tools)));
    }
    const isValid = !diagnostics.some(
      ({ severity }) => severity === 'error' || (severity === 'warning' && strict === true),
    );
    const fields = { revision: rendering?.revision, missingTools: tools.missing };
    context.result(fields);
    const checked = { rendering, isValid, diagnostics, tools };
    if (format === 'text') return print(context, checked);
    const exitCode = codeOf(checked);
    const all = [...diagnostics, ...(rendering === undefined ? [] : noteRendering(rendering))];
    const { stdout, cwd, env, file } = context;
    const stack = rendering?.config.name;
    if (format === 'json') {
      const envelope = { command: 'check', stack, exitCode, fields, diagnostics: all, error: undefined };
      stdout.writeJson(envelopeOf(envelope));
      return exitCode;
    }
    const report: CheckReport = {
      diagnostics: all,
      strict: strict === true,
      verdict: verdictOf(checked),
      services: (rendering?.services ?? []).map(({ service: { name } }) => name),
      missingTools: tools.missing,
      stackFile: file[0] ?? 'stack.yml',
      cwd,
      root: env['GITHUB_WORKSPACE'] || cwd,
    };
    stdout.write({ github: githubCommands, sarif, junit, markdown }[format](report));
    return exitCode;
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

/** Which tools ran, and which could not. */
export class UsedTools {
  readonly #ran = new Set<string>();
  readonly #missing = new Set<string>();
  hasEngine = true;

  /** The same runners, whose runs are noted. */
  watch(open: OpenRunner): OpenRunner {
    return async (job) => {
      const runner = await open(job);
      return {
        where: runner.where,
        run: async (command, signal) => {
          const run = await runner.run(command, signal);
          (run.kind === 'ran' ? this.#ran : this.#missing).add(command.tool);
          return run;
        },
        [Symbol.asyncDispose]: () => runner[Symbol.asyncDispose](),
      };
    };
  }

  /** Those that never ran. */
  get missing(): readonly string[] {
    return [...this.#missing]
      .filter((tool) => !this.#ran.has(tool))
      .sort()
      .reverse();
  }
}

/** What lint and the tools find in rendered files; without an engine or an image, those of the host. */
export async function checkWithEngine(
  context: Context,
  rendering: Rendering,
  tools: UsedTools,
): Promise<readonly Diagnostic[]> {
  await using engine = await engineIfAny(context);
  const live = engine && (await liveSeries(engine, rendering.config, context.signal));
  const images = engine === undefined ? new Map<string, never>() : await imagesOf(engine, rendering);
  const open =
    engine === undefined ? hostRunner(context.env, noEngine) : imageRunner(engine, rendering, images, context.env);
  tools.hasEngine = engine !== undefined;
  const fitting = forRunningImages(rendering, images);
  const byTools = await checkRendering(
    { ...fitting, config: withRunningImages(fitting.config, images) },
    tools.watch(open),
    context.report,
    context.signal,
  );
  return [...lintRendering(rendering, live), ...byTools];
}

/** What the stack's Prometheus has stored; undefined when it does not respond, or has not scraped every target yet. */
async function liveSeries(engine: Engine, config: StackConfig, signal: AbortSignal): Promise<LiveSeries | undefined> {
  const servers = await openServers(engine, config, signal);
  try {
    return await new PrometheusClient(servers).storedSeries();
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

type Images = Awaited<ReturnType<typeof findImages>>;

/** Images from a mirror or from packages have different names than in stack.yml. */
function imagesOf(engine: Engine, { config, services }: Rendering): Promise<Images> {
  const references = services.map(({ container }) => ({ service: container.service, reference: container.image }));
  return findImages(engine, references, config.images);
}

function imageRunner(engine: Engine, { config }: Rendering, images: Images, env: Context['env']): OpenRunner {
  const fallback = hostRunner(env, noImage);
  const findImage: FindImage = async (reference) => images.get(reference);
  return cachedRunner(containerRunner(engine, config.name, findImage, fallback), checkedCache(env), findImage);
}

interface Checked {
  readonly rendering: Rendering | undefined;
  readonly isValid: boolean;
  readonly diagnostics: readonly Diagnostic[];
  readonly tools: UsedTools;
}

function codeOf({ isValid, tools }: Checked): ExitCode {
  if (!isValid) return exitCodes.wrongInput;
  return tools.missing.length > 0 ? exitCodes.notChecked : exitCodes.fine;
}

function print({ stdout, report }: Pick<Context, 'stdout' | 'report'>, checked: Checked): ExitCode {
  const { rendering, isValid, diagnostics } = checked;
  if (!isValid || rendering === undefined) throw new InputError(diagnostics);
  for (const diagnostic of [...diagnostics, ...noteRendering(rendering)])
    report({ kind: 'diagnostic', diagnostic, isResult: true });
  stdout.write(`${verdictOf(checked)}\n`);
  return codeOf(checked);
}

/** `shop: 23 files for 4 services are valid (revision 3f2a9c0d1e4b)`. */
function verdictOf(checked: Checked): string {
  const { rendering, isValid, diagnostics, tools } = checked;
  if (!isValid || rendering === undefined) return countDiagnostics(diagnostics);
  const files = rendering.services.reduce((sum, service) => sum + service.files.length, 0);
  const counts = diagnostics.length === 0 ? '' : `, ${countDiagnostics(diagnostics)}`;
  const why = `${tools.hasEngine ? '' : 'no container engine, '}no image, no tools`;
  const verdict =
    codeOf(checked) === exitCodes.fine
      ? `${files === 1 ? 'is' : 'are'} valid`
      : `rendered; NOT checked by ${andList(tools.missing, 'any tool')}: ${why}`;
  return `${rendering.config.name}: ${counted(files, 'file')} for ${counted(rendering.services.length, 'service')} ${verdict}${counts} (revision ${rendering.revision})`;
}
