import { isNative, type Native } from '../values/native.ts';

const weekdays = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday'];
const months = [
  ...['january', 'february', 'march', 'april', 'may', 'june'],
  ...['july', 'august', 'september', 'october', 'november', 'december'],
];

/** A moment in the parts that time intervals speak of, in one timezone. */
interface Parts {
  readonly minute: number;
  readonly weekday: number;
  readonly day: number;
  readonly daysInMonth: number;
  readonly month: number;
  readonly year: number;
}

/**
 * The names of those time intervals of a parsed alertmanager.yml that a moment lies in (timeinterval/timeinterval.go).
 * `time_intervals` and the older `mute_time_intervals` are one list.
 */
export function intervalsAt(config: Native, at: Date): readonly string[] {
  const lists = ['time_intervals', 'mute_time_intervals'].flatMap((key) => listOf(config[key]));
  return lists
    .filter(isNative)
    .filter((named) => listOf(named['time_intervals']).some((one) => isNative(one) && contains(one, at)))
    .map((named) => String(named['name']));
}

/** Every field that is given must hold; within a field one of its ranges is enough. */
function contains(interval: Native, at: Date): boolean {
  const parts = partsOf(at, typeof interval['location'] === 'string' ? interval['location'] : 'UTC');
  const holds = (key: string, test: (range: unknown) => boolean): boolean =>
    interval[key] === undefined || interval[key] === null || listOf(interval[key]).some(test);
  return (
    holds('times', (range) => isNative(range) && isInDay(range, parts.minute)) &&
    holds('weekdays', (range) => isBetween(range, parts.weekday, (word) => weekdays.indexOf(word))) &&
    holds('days_of_month', (range) => isBetween(range, parts.day, (word) => dayOf(Number(word), parts.daysInMonth))) &&
    holds('months', (range) => isBetween(range, parts.month, monthOf)) &&
    holds('years', (range) => isBetween(range, parts.year, Number))
  );
}

/** From the start up to the end, which is not part of it; 24:00 ends the day. */
function isInDay(range: Native, minute: number): boolean {
  const [start, end] = [range['start_time'], range['end_time']].map(minutesOf);
  return start !== undefined && end !== undefined && minute >= start && minute < end;
}

/** `monday:friday`, `1`, `-3:-1`: one value or both ends of a range. */
function isBetween(range: unknown, value: number, read: (word: string) => number): boolean {
  const [from = '', to = from] = String(range).toLowerCase().split(':');
  return value >= read(from.trim()) && value <= read(to.trim());
}

/** Days below zero count from the end of the month. */
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

/** The clock on the wall there; UTC where the zone is not known here, such as `Local`, the zone of the server. */
function partsOf(at: Date, zone: string): Parts {
  const wall = new Date(`${at.toLocaleString('en-US', { timeZone: isZone(zone) ? zone : 'UTC' })} UTC`);
  return {
    minute: wall.getUTCHours() * 60 + wall.getUTCMinutes(),
    weekday: wall.getUTCDay(),
    day: wall.getUTCDate(),
    daysInMonth: new Date(Date.UTC(wall.getUTCFullYear(), wall.getUTCMonth() + 1, 0)).getUTCDate(),
    month: wall.getUTCMonth() + 1,
    year: wall.getUTCFullYear(),
  };
}

function isZone(zone: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: zone }).format(0) !== '';
  } catch {
    return false;
  }
}

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
