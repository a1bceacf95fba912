import { isMapping, listOf, type Mapping } from '../values/mapping.ts';

const weekdays = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday'];
const months = [
  ...['january', 'february', 'march', 'april', 'may', 'june'],
  ...['july', 'august', 'september', 'october', 'november', 'december'],
];

/** The fields of a time that time intervals restrict, in one timezone. */
interface TimeFields {
  readonly minute: number;
  readonly weekday: number;
  readonly day: number;
  readonly daysInMonth: number;
  readonly month: number;
  readonly year: number;
}

/**
 * The names of the time intervals of a parsed alertmanager.yml that contain a time (timeinterval/timeinterval.go). `time_intervals` and
 * the older `mute_time_intervals` are one list.
 */
export function intervalsAt(config: Mapping, at: Date): readonly string[] {
  const lists = ['time_intervals', 'mute_time_intervals'].flatMap((key) => listOf(config[key]));
  return lists
    .filter(isMapping)
    .filter((named) =>
      listOf(named['time_intervals']).some((interval) => isMapping(interval) && contains(interval, at)),
    )
    .map((named) => String(named['name']));
}

/** All fields must match; within a field one of its ranges is enough. */
function contains(interval: Mapping, at: Date): boolean {
  const fields = timeFields(at, typeof interval['location'] === 'string' ? interval['location'] : 'UTC');
  const holds = (key: string, test: (range: unknown) => boolean): boolean =>
    interval[key] === undefined || interval[key] === null || listOf(interval[key]).some(test);
  return (
    holds('times', (range) => isMapping(range) && isInDay(range, fields.minute)) &&
    holds('weekdays', (range) => isBetween(range, fields.weekday, (word) => weekdays.indexOf(word))) &&
    holds('days_of_month', (range) =>
      isBetween(range, fields.day, (word) => dayOf(Number(word), fields.daysInMonth)),
    ) &&
    holds('months', (range) => isBetween(range, fields.month, monthOf)) &&
    holds('years', (range) => isBetween(range, fields.year, Number))
  );
}

/** The end is exclusive; 24:00 is the end of the day. */
function isInDay(range: Mapping, minute: number): boolean {
  const [start, end] = [range['start_time'], range['end_time']].map(minutesOf);
  return start !== undefined && end !== undefined && minute >= start && minute < end;
}

/** `monday:friday`, `1`, `-3:-1`: one value or a range. */
function isBetween(range: unknown, value: number, read: (word: string) => number): boolean {
  const [from = '', to = from] = String(range).toLowerCase().split(':');
  return value >= read(from.trim()) && value <= read(to.trim());
}

/** Negative days count from the end of the month. */
function dayOf(day: number, daysInMonth: number): number {
  return day < 0 ? daysInMonth + day + 1 : Math.min(day, daysInMonth);
}

function monthOf(word: string): number {
  const at = months.indexOf(word);
  return at === -1 ? Number(word) : at + 1;
}

function minutesOf(text: unknown): number | undefined {
  const [, hours, minutes] = /^(\d{1,2}):(\d{2})$/.exec(String(text)) ?? [];
  return hours === undefined ? undefined : Number(hours) * 60 + Number(minutes);
}

/** The local time of a timezone; UTC for unknown ones, such as `Local`, the server's timezone. */
function timeFields(at: Date, zone: string): TimeFields {
  const local = new Date(`${at.toLocaleString('en-US', { timeZone: isZone(zone) ? zone : 'UTC' })} UTC`);
  return {
    minute: local.getUTCHours() * 60 + local.getUTCMinutes(),
    weekday: local.getUTCDay(),
    day: local.getUTCDate(),
    daysInMonth: new Date(Date.UTC(local.getUTCFullYear(), local.getUTCMonth() + 1, 0)).getUTCDate(),
    month: local.getUTCMonth() + 1,
    year: local.getUTCFullYear(),
  };
}

function isZone(zone: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: zone }).format(0) !== '';
  } catch {
    return false;
  }
}
