import type { ChangeCost, CostItem } from '../../inspect/change-cost.ts';

const marks = { added: '+', removed: '-', changed: '~' } as const;

/** What a change costs: `cost: +1,200 series (+4 %), +80 samples/s (+4 %)`, and a line for each job and rule. */
export function printCost(cost: ChangeCost): string {
  const { items, series, samplesPerSecond, seriesNow, samplesPerSecondNow, disk, notes } = cost;
  const isUnknown = items.some((item) => item.series === undefined || item.notes.some((note) => /^unknown/.test(note)));
  const totals = [
    `${signed(series)} series${share(series, seriesNow)}`,
    `${signed(samplesPerSecond)} samples/s${share(samplesPerSecond, samplesPerSecondNow)}`,
  ].join(', ');
  const head = items.length === 0 ? 'cost:' : `cost: ${totals}${isUnknown ? ', and what is unknown' : ''}`;
  const lines = [
    ...items.map(itemLine),
    ...(disk === undefined ? [] : [diskLine(disk)]),
    ...notes.map((note) => `  ${note}`),
  ];
  return `${[head, ...lines].join('\n')}\n`;
}

function itemLine({ kind, name, change, series, samplesPerSecond, notes }: CostItem): string {
  const numbers =
    series === undefined || samplesPerSecond === undefined
      ? []
      : [`${signed(series)} series, ${signed(samplesPerSecond)} samples/s`];
  return `  ${marks[change]} ${kind} ${name}: ${[...numbers, ...notes].join('; ')}`;
}

function diskLine({ retentionBefore, retentionAfter, bytesNow, bytesAfter }: NonNullable<ChangeCost['disk']>): string {
  const needs =
    bytesAfter === undefined
      ? 'unknown disk use: there is less than a day of data'
      : `about ${size(bytesAfter)} on disk at the current rate, now ${size(bytesNow)}`;
  return `  ~ retention ${retentionBefore} -> ${retentionAfter}: ${needs}`;
}

function signed(value: number): string {
  const text = rounded(Math.abs(value), Math.abs(value) < 10 ? 1 : 0);
  return `${value < 0 && text !== '0' ? '-' : '+'}${text}`;
}

function share(value: number, now: number | undefined): string {
  return now === undefined || !(now > 0) ? '' : ` (${signed((100 * value) / now)} %)`;
}

function size(bytes: number): string {
  const units = ['B', 'KB', 'MB', 'GB', 'TB', 'PB'];
  const at = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log2(Math.max(1, bytes)) / 10)));
  return `${rounded(bytes / 1024 ** at, 1)} ${units[at]}`;
}

/** `1,234.5` */
function rounded(value: number, maximumFractionDigits: number): string {
  return value.toLocaleString('en-US', { maximumFractionDigits });
}
