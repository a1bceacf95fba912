import type { ServiceStatus, StackStatus, StatusProblem } from '../../inspect/status.ts';
import type { Colours } from '../colours.ts';
import { widthOf } from '../report/live-block.ts';
import { table } from './table.ts';

/** The status as a person reads it, in at most so many columns where that can be. */
export function printStatus(
  status: StackStatus,
  { colours, columns }: { colours: Colours; columns: number | undefined },
): string {
  const { bold, dim } = colours;
  const revision = status.revision === undefined ? 'no revision confirmed yet' : `revision ${status.revision}`;
  return [
    `${bold(status.stack)}  ${dim(revision)}\n`,
    '\n',
    servicesTable(status.services, colours, columns ?? Number.POSITIVE_INFINITY),
    ...vitalsTable(status.services, colours),
    '\n',
    ...together(status.problems).map((problem) => printProblem(problem, colours)),
    summary(status, colours),
  ].join('');
}

/** Each column with what it shows; those that come later are the first to go where the terminal is narrow. */
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
  if (state !== 'running') return red(state);
  return isReady ? `${green('ready')}, ${(uptime ?? '').replace(/^Up /, 'up ')}` : yellow('running, not ready');
}

function vitalsTable(services: readonly ServiceStatus[], colours: Colours): readonly string[] {
  const tones = { right: (text: string) => text, notice: colours.yellow, wrong: colours.red };
  const rows = services.flatMap(({ service, vitals }) =>
    vitals.map(({ label, text, tone }, at) => [at === 0 ? service : '', colours.dim(label), tones[tone](text)]),
  );
  return rows.length === 0 ? [] : ['\n', table(rows)];
}

/** The same thing about several services is told once. */
function together(problems: readonly StatusProblem[]): readonly StatusProblem[] {
  const byText = new Map<string, StatusProblem>();
  for (const problem of problems) {
    const text = JSON.stringify([problem.tone, problem.message, problem.tryThis]);
    const first = byText.get(text);
    byText.set(text, first === undefined ? problem : { ...first, service: `${first.service}, ${problem.service}` });
  }
  return [...byText.values()];
}

function printProblem({ tone, service, message, tryThis }: StatusProblem, { red, yellow }: Colours): string {
  const mark = tone === 'wrong' ? red('✖') : yellow('▲');
  return `${mark} ${service}: ${message}\n${tryThis === undefined ? '' : `  try: ${tryThis}\n`}`;
}

function summary({ problems, isRight }: StackStatus, { green, red }: Colours): string {
  const notices = problems.length;
  if (isRight && notices === 0) return `${green('✔')} everything runs as it should\n`;
  if (isRight)
    return `${green('✔')} nothing is broken; ${notices === 1 ? 'one thing' : `${notices} things`} to look at\n`;
  const wrong = problems.filter((one) => one.tone === 'wrong').length;
  return `${red('✖')} ${wrong} ${wrong === 1 ? 'thing is' : 'things are'} not right\n`;
}
