import type { Diagnostic } from '../../stack/diagnostic.ts';
import type { CheckCommand } from '../../stack/model.ts';
import type { Rendering, ServiceRendering } from '../render/rendering.ts';
import type { Report } from '../report/event.ts';
import { StackError } from '../util/stack-error.ts';
import { diagnose } from './diagnose.ts';
import { redact } from './redact.ts';
import type { CheckRun, CheckRunner, OpenRunner } from './runner.ts';

/** How long one service's checks may take; rule tests over long spans are the slowest of them. */
const deadlineMs = 180_000;

/**
 * Proves the rendered files valid with the tools of the services themselves, all services at once. Answers with what
 * is wrong, and with a warning for each check that nothing here could run; rejects with a StackError when a tool fails to run.
 */
export async function checkRendering(
  rendering: Rendering,
  open: OpenRunner,
  report: Report,
  signal: AbortSignal,
): Promise<readonly Diagnostic[]> {
  const checks = rendering.services.map((one) => checkService(one, rendering, open, report, signal));
  // Each has its own runner to put away: none is left behind while another fails.
  return (await settled(checks)).flat();
}

async function checkService(
  one: ServiceRendering,
  rendering: Rendering,
  open: OpenRunner,
  report: Report,
  signal: AbortSignal,
): Promise<readonly Diagnostic[]> {
  const { service, container, files } = one;
  const commands = service.checks(rendering.config, files, rendering.tests);
  if (commands.length === 0) return [];
  const { image, user } = container;
  const timeout = AbortSignal.timeout(deadlineMs);
  try {
    await using runner = await open({ service: service.name, image, user, files, commands });
    const running = commands.map((command, at) =>
      runOne(
        `check:${service.name}:${at}`,
        command,
        one,
        rendering,
        runner,
        report,
        AbortSignal.any([signal, timeout]),
      ),
    );
    return unique((await settled(running)).flat());
  } catch (error) {
    if (!timeout.aborted || signal.aborted) throw error;
    throw tooLong(service.name, error);
  }
}

async function runOne(
  id: string,
  command: CheckCommand,
  one: ServiceRendering,
  rendering: Rendering,
  runner: CheckRunner,
  report: Report,
  signal: AbortSignal,
): Promise<readonly Diagnostic[]> {
  const what = `checking ${command.title}`;
  const begun = performance.now();
  report({ kind: 'started', id, what });
  let run: CheckRun;
  try {
    run = await runner.run(command, signal);
  } catch (error) {
    report({ kind: 'failed', id, what, why: error instanceof Error ? error.message : String(error) });
    throw error;
  }
  if (run.kind === 'notRun') {
    report({ kind: 'skipped', id, what, because: run.why });
    return [couldNotCheck(command, run)];
  }
  if (run.exitCode === 0) {
    const tookMs = performance.now() - begun;
    report({ kind: 'done', id, what, tookMs, ...(run.detail === undefined ? {} : { detail: run.detail }) });
    return [];
  }
  const files = [...one.files, ...(command.with ?? [])];
  const output = redact(run.output, files);
  const findings = command.explain(output);
  const told = findings.length > 0 ? findings : [{ message: wordless(command, run.exitCode, output) }];
  report({ kind: 'failed', id, what, why: told[0]?.message ?? '' });
  return told.map((finding) => diagnose(finding, { tool: command.tool, service: one.service.name, files, rendering }));
}

/** All values, or the first failure once nothing runs any more. */
async function settled<T>(promises: readonly Promise<T>[]): Promise<readonly T[]> {
  const all = await Promise.allSettled(promises);
  return all.map((one) => {
    if (one.status === 'rejected') throw one.reason;
    return one.value;
  });
}

/** A rule file that is wrong is told of by each command that reads it. */
function unique(diagnostics: readonly Diagnostic[]): readonly Diagnostic[] {
  const keyOf = ({ where, message }: Diagnostic): string => `${where?.file}:${where?.offset}:${message}`;
  return [...new Map(diagnostics.map((one) => [keyOf(one), one])).values()];
}

function couldNotCheck(command: CheckCommand, run: CheckRun & { kind: 'notRun' }): Diagnostic {
  return {
    severity: 'warning',
    code: 'could-not-check',
    message: `could not check ${command.title}: ${run.why}`,
    ...(run.tryThis === undefined ? {} : { hint: run.tryThis }),
  };
}

function wordless({ tool }: CheckCommand, exitCode: number, output: string): string {
  const said = output.replaceAll(/\s+/g, ' ').trim();
  return `ended with exit code ${exitCode}${said === '' ? ` and ${tool} said nothing` : `: ${said}`}`;
}

function tooLong(service: string, cause: unknown): StackError {
  return new StackError({
    doing: `checking the files of ${service}`,
    why: `the checks did not end within ${deadlineMs / 60_000} minutes`,
    tryThis: 'look for a rule test that spans years, or for an engine under heavy load',
    cause,
  });
}
