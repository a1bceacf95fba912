import type { AlertRule } from '../../stack/alert.ts';
import type { Diagnostic } from '../../stack/diagnostic.ts';
import type { CheckCommand, CheckFinding, RenderedFile } from '../../stack/model.ts';
import { Secret } from '../../stack/secret.ts';
import type { Rendering, ServiceRendering } from '../render/rendering.ts';
import type { Report } from '../util/event.ts';
import { StackError } from '../util/stack-error.ts';
import { diagnose } from './diagnose.ts';
import { type CheckRun, type CheckRunner, filesOf, type OpenRunner } from './runner.ts';

/** How long one service's checks may take; rule tests over long spans are the slowest of them. */
const deadlineMs = 180_000;

/** One check of all services, as it goes on. */
interface Checking {
  readonly rendering: Rendering;
  readonly alerts: () => readonly AlertRule[];
  readonly open: OpenRunner;
  readonly report: Report;
  readonly signal: AbortSignal;
}

/**
 * Proves the rendered files valid with the tools of the services themselves, all services at once. Answers with what
 * is wrong, and with a warning for each check that nothing here could run; rejects with a StackError when a tool fails to run.
 * `whole` is the stack where only some of its services are checked.
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
  const checks = rendering.services.map((one) => checkService(one, { rendering, alerts, open, report, signal }));
  // Each has its own runner to put away: none is left behind while another fails.
  return (await settled(checks)).flat();
}

async function checkService(one: ServiceRendering, checking: Checking): Promise<readonly Diagnostic[]> {
  const { rendering, alerts, open, signal } = checking;
  const { service, container, files } = one;
  const commands = service.checks(rendering.config, files, rendering.tests, alerts);
  if (commands.length === 0) return [];
  const timeout = AbortSignal.timeout(deadlineMs);
  const until = { ...checking, signal: AbortSignal.any([signal, timeout]) };
  try {
    const { image, user } = container;
    await using runner = await open({ service: service.name, image, user, files, commands });
    const running = commands.map((command, at) => {
      const work = { id: `check:${service.name}:${at}`, what: `checking ${command.title}` };
      return runCommand(command, work, one, runner, until);
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
  one: ServiceRendering,
  runner: CheckRunner,
  { rendering, report, signal }: Checking,
): Promise<readonly Diagnostic[]> {
  const begun = performance.now();
  report({ kind: 'started', ...work });
  const run = await runner.run(command, signal).catch((error: unknown) => {
    report({ kind: 'failed', ...work, why: whyOf(error) });
    throw error;
  });
  if (run.kind === 'notRun') {
    report({ kind: 'skipped', ...work, because: run.why });
    return [couldNotCheck(command, run)];
  }
  if (run.exitCode === 0) {
    const tookMs = performance.now() - begun;
    report({ kind: 'done', ...work, tookMs, ...(run.detail === undefined ? {} : { detail: run.detail }) });
    return [];
  }
  const files = filesOf({ files: one.files, commands: [command] });
  const findings = findingsIn(run, command, redact(run.output, files));
  report({ kind: 'failed', ...work, why: findings.map(({ message }) => message).join('; ') });
  return findings.map((finding) =>
    diagnose(finding, { tool: command.tool, service: one.service.name, files, rendering }),
  );
}

/** What was being done stands before it in any case. */
function whyOf(error: unknown): string {
  if (error instanceof StackError) return error.why;
  return error instanceof Error ? error.message : String(error);
}

/** What the command's own reading finds in its output, or the output itself where that finds nothing. */
function findingsIn(
  { exitCode }: { readonly exitCode: number },
  command: CheckCommand,
  output: string,
): readonly CheckFinding[] {
  const findings = command.explain(output);
  if (findings.length > 0) return findings;
  const said = output.replaceAll(/\s+/g, ' ').trim();
  return [{ message: `ended with exit code ${exitCode}${said === '' ? ' and said nothing' : `: ${said}`}` }];
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

function tooLong(service: string, cause: unknown): StackError {
  return new StackError({
    doing: `checking the files of ${service}`,
    why: `the checks did not end within ${deadlineMs / 60_000} minutes`,
    tryThis: 'look for a rule test that spans years, or for an engine under heavy load',
    cause,
  });
}

/** Go's YAML package shows the first letters of a value it cannot use. */
const shownByGo = 7;

/** A tool's output without the secrets of the files it read. */
function redact(output: string, files: readonly RenderedFile[]): string {
  const secrets = files.flatMap(secretsOf).map((secret) => secret.reveal());
  return secrets
    .flatMap((text) => [
      text,
      ...text.split('\n'),
      JSON.stringify(text).slice(1, -1),
      encodeURIComponent(text),
      `${text.slice(0, shownByGo)}...`,
    ])
    .filter((text) => text.trim() !== '')
    .sort((one, other) => other.length - one.length)
    .reduce((told, text) => told.replaceAll(text, '[secret]'), output);
}

/** A file that is a secret as a whole may not say so. */
function secretsOf({ content, secrets }: RenderedFile): readonly Secret[] {
  return secrets ?? (content instanceof Secret ? [content] : []);
}
