import { counted } from '../../../stack/values/words.ts';
import type { ServiceStatus, StackStatus, StatusProblem } from '../../inspect/status.ts';
import type { Colours } from '../colours.ts';
import { widthOf } from '../report/live-block.ts';
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
  const revision = status.revision === undefined ? 'no revision confirmed yet' : `revision ${status.revision}`;
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

/** Merges equal problems of several services. */
function merged(problems: readonly StatusProblem[]): readonly StatusProblem[] {
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
  const wrong = problems.filter(({ tone }) => tone === 'wrong').length;
  const notices = problems.length - wrong;
  const more = notices === 0 ? '' : `, ${counted(notices, 'notice')}`;
  return isRight ? `${green('✔')} no problems found${more}\n` : `${red('✖')} ${counted(wrong, 'problem')}${more}\n`;
}
