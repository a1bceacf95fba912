import { counted } from '../../../stack/values/words.ts';
import { EngineError, toStackError } from '../../engine/engine-error.ts';
import type { ServiceStatus, StatusProblem } from '../../inspect/probe.ts';
import type { StackStatus } from '../../inspect/status.ts';
import { stoppedText } from '../../state/find-stack.ts';
import type { Event, Report } from '../../util/event.ts';
import { InputError, StackError } from '../../util/stack-error.ts';
import type { Context } from '../context.ts';
import { clip, liveBlock, widthOf } from '../report/live-block.ts';
import type { Colours } from '../terminal-output.ts';
import { table } from './table.ts';

/** The status as text, in at most `columns` columns where possible. */
export function printStatus(
  status: StackStatus,
  {
    colours,
    columns,
    comparedWith,
  }: {
    readonly colours: Colours;
    readonly columns: number | undefined;
    /** Absent means stack.yml. */
    readonly comparedWith?: string | undefined;
  },
): string {
  const { bold, dim } = colours;
  const without =
    status.hasHistory === false ? 'no history, which needs Prometheus in the stack' : 'no revision confirmed yet';
  const running = status.revision === undefined ? without : `revision ${status.revision}`;
  const revision = status.isStopped === true ? stoppedText(status.revision) : running;
  return [
    `${bold(status.stack)}  ${dim(revision)}\n`,
    comparedWith === undefined ? '' : dim(`compared with ${comparedWith}, not with stack.yml\n`),
    '\n',
    servicesTable(status.services, colours, columns ?? Number.POSITIVE_INFINITY),
    ...vitalsTable(status.services, colours),
    '\n',
    ...merged(status.problems).map((problem) => printProblem(problem, colours)),
    summary(status, colours),
  ].join('');
}

/** The last columns are omitted first on a narrow terminal. */
const columnsByWorth = ['SERVICE', 'STATE', 'ADDRESS', 'REVISION', 'IMAGE'] as const;

function servicesTable(services: readonly ServiceStatus[], colours: Colours, columns: number): string {
  const cells = services.map((service) => ({
    SERVICE: service.service,
    STATE: stateText(service, colours),
    ADDRESS: service.url ?? '',
    REVISION: service.revision ?? '',
    IMAGE: service.image,
  }));
  for (let shown = columnsByWorth.length; ; shown -= 1) {
    const heads = columnsByWorth.slice(0, shown);
    const text = table([heads.map(colours.dim), ...cells.map((cell) => heads.map((head) => cell[head]))]);
    if (shown <= 3 || text.split('\n').every((line) => widthOf(line) <= columns)) return text;
  }
}

function stateText({ state, isReady, uptime }: ServiceStatus, { green, red, yellow }: Colours): string {
  if (state === 'absent') return red('no container');
  if (state !== 'running') return red(state === 'exited' ? 'stopped' : state);
  return isReady ? `${green('ready')}, ${(uptime ?? '').replace(/^Up /, 'up ')}` : yellow('running, not ready');
}

function vitalsTable(services: readonly ServiceStatus[], colours: Colours): readonly string[] {
  const tones = { right: (text: string) => text, notice: colours.yellow, wrong: colours.red };
  const rows = services.flatMap(({ service, vitals }) =>
    vitals.map(({ label, text, tone }, at) => [at === 0 ? service : '', colours.dim(label), tones[tone](text)]),
  );
  return rows.length === 0 ? [] : ['\n', table(rows)];
}

/** Merges equal problems of several services. */
function merged(problems: readonly StatusProblem[]): readonly StatusProblem[] {
  const byText = new Map<string, StatusProblem>();
  for (const problem of problems) {
    const text = JSON.stringify([problem.tone, problem.message, problem.tryThis]);
    const first = byText.get(text);
    byText.set(text, first === undefined ? problem : { ...first, service: `${first.service}, ${problem.service}` });
  }
  return [...byText.values()].map((problem) =>
    problem.service.includes(', ') ? { ...problem, message: plural(problem.message) } : problem,
  );
}

const plurals: Readonly<Record<string, string>> = { is: 'are', was: 'were', has: 'have', does: 'do' };

/** A message about one service as one about several: `it has no container` as `they have no container`. */
function plural(message: string): string {
  return message
    .replace(/^its container (is|was|has|does)\b/, (_, verb: string) => `their containers ${plurals[verb]}`)
    .replace(/^its\b/, 'their')
    .replace(/^it (is|was|has|does)\b/, (_, verb: string) => `they ${plurals[verb]}`);
}

function printProblem({ tone, service, message, tryThis }: StatusProblem, { red, yellow }: Colours): string {
  const mark = tone === 'wrong' ? red('✖') : yellow('▲');
  return `${mark} ${service}: ${message}\n${tryThis === undefined ? '' : `  try: ${tryThis}\n`}`;
}

function summary({ problems, isRight }: StackStatus, { green, red }: Colours): string {
  const wrong = problems.filter(({ tone }) => tone === 'wrong').length;
  const notices = problems.length - wrong;
  const more = notices === 0 ? '' : `, ${counted(notices, 'notice')}`;
  return isRight ? `${green('✔')} no problems found${more}\n` : `${red('✖')} ${counted(wrong, 'problem')}${more}\n`;
}

/** The pause between two refreshes. */
const pauseMs = 2_000;

/**
 * Refreshes the output until the signal aborts: in place on a terminal, otherwise only when it changed. An error, such as
 * during a restart of the engine or an edit of stack.yml, is shown until the next refresh. Events are reported above the
 * output, equal ones once.
 */
export async function watchStatus<Status, Line>(
  {
    json,
    stdout,
    line,
    clock,
    signal,
    report,
  }: Pick<Context<never, Line>, 'json' | 'stdout' | 'line' | 'clock' | 'signal' | 'report'>,
  {
    take,
    print,
    toLine,
  }: {
    readonly take: (report: Report) => Promise<Status>;
    readonly print: (status: Status) => string;
    /** The line of JSON for each change. */
    readonly toLine: (status: Status | StackError | InputError, events: readonly Event[], time: string) => Line;
  },
): Promise<void> {
  // An unknown terminal size is 0.
  const columns = () => stdout.columns() || 80;
  const block = liveBlock({ write: stdout.write, columns });
  const reported = new Set<string>();
  const reportNew = (events: readonly Event[]): void => {
    // The lines of JSON contain the diagnostics.
    const shown = json ? events.filter(({ kind }) => kind !== 'diagnostic') : events;
    const fresh = new Map(shown.map((event) => [JSON.stringify(event), event]));
    for (const text of reported) fresh.delete(text);
    // On the same terminal, reports must not be written into the block.
    if (fresh.size > 0) block.draw('', []);
    for (const [text, event] of fresh) {
      reported.add(text);
      report(event);
    }
  };
  let last = '';
  let lastLine = '';
  try {
    while (!signal.aborted) {
      const events: Event[] = [];
      const taken = await orError(() => take((event) => events.push(event)));
      const text = taken instanceof Error ? errorText(taken) : print(taken);
      reportNew(events);
      const withoutTime = JSON.stringify(toLine(taken, events, ''));
      if (withoutTime !== lastLine) line(toLine(taken, events, new Date(clock.now()).toISOString()));
      lastLine = withoutTime;
      if (stdout.isTerminal)
        block.draw(
          '',
          text
            .trimEnd()
            .split('\n')
            .slice(0, (stdout.rows() || 24) - 1),
        );
      else if (text !== last) stdout.write(text);
      last = text;
      await clock.sleep(pauseMs, signal);
    }
  } finally {
    // The last text stays on the screen.
    if (stdout.isTerminal) block.draw(last, []);
  }
}

async function orError<T>(take: () => Promise<T>): Promise<T | StackError | InputError> {
  try {
    return await take();
  } catch (error) {
    if (error instanceof StackError || error instanceof InputError) return error;
    if (error instanceof EngineError) return toStackError(error);
    throw error;
  }
}

function errorText(error: StackError | InputError): string {
  return error instanceof StackError
    ? `✖ ${error.doing}: ${clip(error.why, 200)}\n`
    : `✖ stack.yml is currently invalid: ${error.message}\n`;
}
