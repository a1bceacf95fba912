import type { AlertRule } from '../../stack/alert.ts';
import type { Diagnostic } from '../../stack/diagnostic.ts';
import type { CheckCommand, CheckFinding, RenderedFile } from '../../stack/model.ts';
import { Secret } from '../../stack/secret.ts';
import { counted } from '../../stack/values/words.ts';
import type { Rendering, ServiceRendering } from '../render/rendering.ts';
import type { Report } from '../util/event.ts';
import { addSecret, redact } from '../util/redaction.ts';
import { StackError } from '../util/stack-error.ts';
import { diagnose } from './diagnose.ts';
import { narrowFindings } from './narrow.ts';
import { type CheckRun, type CheckRunner, filesOf, hasPassed, type OpenRunner } from './runner.ts';

/** Deadline of all checks of one service; rule tests over long periods are the slowest. */
const deadlineMs = 180_000;

interface CheckContext {
  readonly rendering: Rendering;
  readonly alerts: () => readonly AlertRule[];
  readonly open: OpenRunner;
  readonly report: Report;
  readonly signal: AbortSignal;
}

/**
 * Validates the rendered files with the tools of the services, all services at once. Returns the errors, and a warning for each
 * check that could not run; rejects with a StackError when a tool fails to run. `whole` is the stack where only some of its
 * services are checked.
 */
export async function checkRendering(
  rendering: Rendering,
  open: OpenRunner,
  report: Report,
  signal: AbortSignal,
  whole: Rendering = rendering,
): Promise<readonly Diagnostic[]> {
  const alerts = (): readonly AlertRule[] =>
    whole.services.flatMap(({ service, files }) => service.alerts?.(files) ?? []);
  const checks = rendering.services.map((service) =>
    checkService(service, { rendering, alerts, open, report, signal }),
  );
  // Waits for all, so that each closes its runner when another fails.
  return (await settled(checks)).flat();
}

async function checkService(rendered: ServiceRendering, context: CheckContext): Promise<readonly Diagnostic[]> {
  const { rendering, alerts, open, signal } = context;
  const { service, container, files } = rendered;
  const commands = service.checks(rendering.config, files, rendering.tests, alerts);
  if (commands.length === 0) return [];
  const timeout = AbortSignal.timeout(deadlineMs);
  const until = { ...context, signal: AbortSignal.any([signal, timeout]) };
  try {
    const { image, user } = container;
    await using runner = await open({ service: service.name, image, user, files, commands });
    const running = commands.map((command, at) => {
      const work = { id: `check:${service.name}:${at}`, what: `checking ${command.title}` };
      return runCommand(command, work, rendered, runner, until);
    });
    return unique((await settled(running)).flat());
  } catch (error) {
    if (!timeout.aborted || signal.aborted) throw error;
    throw tooLong(service.name, error);
  }
}

async function runCommand(
  command: CheckCommand,
  work: { readonly id: string; readonly what: string },
  rendered: ServiceRendering,
  runner: CheckRunner,
  { rendering, open, report, signal }: CheckContext,
): Promise<readonly Diagnostic[]> {
  const { service, container, files: serviceFiles } = rendered;
  const startedAt = performance.now();
  report({ kind: 'started', ...work });
  const run = await runner.run(command, signal).catch((error: unknown) => {
    report({ kind: 'failed', ...work, why: whyOf(error) });
    throw error;
  });
  if (run.kind === 'notRun') {
    report({ kind: 'skipped', ...work, because: run.why });
    return [couldNotCheck(command, run)];
  }
  const context = { tool: command.tool, service: service.name, rendering };
  if (hasPassed(run, command)) {
    const tookMs = performance.now() - startedAt;
    report({ kind: 'done', ...work, tookMs, detail: run.detail });
    return (command.warnings?.(run.output) ?? []).map((finding): Diagnostic => {
      return { ...diagnose(finding, { ...context, files: serviceFiles }), severity: 'warning', code: 'check-warning' };
    });
  }
  const files = filesOf({ files: serviceFiles, commands: [command] });
  for (const secret of files.flatMap(secretsOf)) addSecret(secret.reveal());
  const all = findingsIn(run, command, redact(run.output));
  const found = all.filter(({ isReportedElsewhere }) => isReportedElsewhere !== true);
  if (found.length === 0) {
    report({ kind: 'skipped', ...work, because: all.map(({ message }) => message).join('; ') });
    return [];
  }
  const { image, user } = container;
  const findings = await narrowFindings(found, command, files, async (narrowed) => {
    const job = { service: service.name, image, user, files: serviceFiles, commands: [narrowed] };
    await using another = await open(job);
    const rerun = await another.run(narrowed, signal);
    return rerun.kind === 'ran' ? redact(rerun.output) : '';
  });
  // The diagnostics say what they are.
  report({ kind: 'failed', ...work, why: counted(findings.length, 'problem') });
  return findings.map((finding) => diagnose(finding, { ...context, files }));
}

function whyOf(error: unknown): string {
  if (error instanceof StackError) return error.why;
  return error instanceof Error ? error.message : String(error);
}

/** The findings parsed from the output, else the output itself. */
function findingsIn(
  { exitCode }: { readonly exitCode: number },
  command: CheckCommand,
  output: string,
): readonly CheckFinding[] {
  const findings = command.explain(output);
  if (findings.length > 0) return findings;
  const printed = output.replaceAll(/\s+/g, ' ').trim();
  return [{ message: `exit code ${exitCode}${printed === '' ? ' without output' : `: ${printed}`}` }];
}

/** All values, or the first failure once all have settled. */
async function settled<T>(promises: readonly Promise<T>[]): Promise<readonly T[]> {
  const all = await Promise.allSettled(promises);
  return all.map((result) => {
    if (result.status === 'rejected') throw result.reason;
    return result.value;
  });
}

/** Removes duplicates: each command that reads an invalid rule file reports it. */
function unique(diagnostics: readonly Diagnostic[]): readonly Diagnostic[] {
  const keyOf = ({ where, message }: Diagnostic): string => `${where?.file}:${where?.offset}:${message}`;
  return [...new Map(diagnostics.map((diagnostic) => [keyOf(diagnostic), diagnostic])).values()];
}

function couldNotCheck(command: CheckCommand, run: CheckRun & { kind: 'notRun' }): Diagnostic {
  return {
    severity: 'warning',
    code: 'could-not-check',
    message: `could not check ${command.title}: ${run.why}`,
    hint: run.tryThis,
  };
}

function tooLong(service: string, cause: unknown): StackError {
  return new StackError({
    doing: `checking the files of ${service}`,
    why: `the checks did not finish within ${deadlineMs / 60_000} minutes`,
    tryThis: 'look for a rule test over a very long period, or for heavy load on the engine',
    cause,
  });
}

/** The secrets in a file; the whole file may be one. */
function secretsOf({ content, secrets }: RenderedFile): readonly Secret[] {
  return secrets ?? (content instanceof Secret ? [content] : []);
}
