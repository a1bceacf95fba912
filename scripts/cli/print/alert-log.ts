import type { Labels } from '../../../stack/alertmanager/matcher.ts';
import type { RecordedAlert } from '../../../stack/alertmanager/recorded-events.ts';
import { counted, onOneLine } from '../../../stack/values/words.ts';
import type { AlertEvent, Suppression } from '../../inspect/alert-log/events.ts';
import type { FailedRequests } from '../../inspect/alert-log/failed-requests.ts';
import type { Colours } from '../terminal-output.ts';
import { table } from './table.ts';

interface PrintOptions {
  readonly colours: Colours;
  /** The width of the terminal; absent for other outputs. */
  readonly columns: number | undefined;
  /** In milliseconds since 1970. */
  readonly now: number;
}

/** On a narrower terminal, alerts are shown without most labels, and receivers together with the details. */
const wide = 140;
/** On an even narrower one, groups are left out: their labels are those of the alerts. */
const medium = 100;

const isWide = ({ columns = wide }: PrintOptions): boolean => columns >= wide;
const hasGroup = ({ columns = wide }: PrintOptions): boolean => columns >= medium;

/** A line per event. */
export function printAlertLog(events: readonly AlertEvent[], options: PrintOptions): string {
  const more = [...(hasGroup(options) ? ['GROUP'] : []), 'RECEIVER', ...(isWide(options) ? ['DETAILS'] : [])];
  const heading = ['TIME', 'EVENT', 'ALERT', ...more].map(options.colours.dim);
  return table([heading, ...events.map((event) => cells(event, options))], options);
}

/** The line of an event that follows others: its columns are as wide as usual values. */
export function printFollowed(event: AlertEvent, options: PrintOptions): string {
  const widths = isWide(options) ? [14, 10, 36, 24, 16, 1] : [11, 10, 16, ...(hasGroup(options) ? [22] : []), 1];
  return table([widths.map((width) => '-'.repeat(width)), cells(event, options)], options).replace(/^.*\n/, '');
}

/** What the counters say of the notifications that failed. */
export function printFailedRequests(failed: readonly FailedRequests[]): readonly string[] {
  return failed.map(
    ({ receiver, integration, failed: count, total }) =>
      `${onOneLine(receiver)} (${integration}): ${count} of ${counted(total, 'request')} failed since Alertmanager started`,
  );
}

function cells(event: AlertEvent, options: PrintOptions): readonly string[] {
  const { time, alerts, group, receiver, receivers, integration } = event;
  const to = onOneLine(receiver ?? (event.event === 'suppressed' ? receivers.join(', ') : ''));
  const via = integration === undefined || (event.event === 'failed' && !isWide(options)) ? to : `${to} ${integration}`;
  const head = [
    options.colours.dim(isWide(options) ? dayTime(time) : shortTime(time, options.now)),
    paintOf(event, options.colours)(words[event.event]),
    alertsText(alerts, isWide(options)),
    ...(hasGroup(options) ? [group === undefined ? '' : labelsText(group)] : []),
  ];
  const rest = details(event, isWide(options));
  if (isWide(options)) return [...head, via, rest];
  return [...head, [via, rest].filter((text) => text !== '').join(': ')];
}

const words: Readonly<Record<AlertEvent['event'], string>> = {
  created: 'created',
  grouped: 'grouped',
  notified: 'notified',
  failed: 'failed',
  suppressed: 'suppressed',
  resolved: 'resolved',
  silenceCreated: 'silence',
  silenceUpdated: 'silence',
  started: 'started',
  stopped: 'stopped',
};

function paintOf({ event }: AlertEvent, { green, red, yellow }: Colours): (text: string) => string {
  if (event === 'notified') return green;
  if (event === 'failed') return red;
  return event === 'suppressed' ? yellow : (text) => text;
}

/** `DiskFull{instance="a"}`, or `DiskFull a`; alerts of a notification by their names: `DiskFull ×2, Slow`. */
function alertsText(alerts: readonly Pick<RecordedAlert, 'labels'>[], isWhole: boolean): string {
  const [first] = alerts;
  if (first === undefined) return '';
  const nameOf = ({ labels }: Pick<RecordedAlert, 'labels'>): string => onOneLine(labels['alertname'] ?? 'no name');
  if (alerts.length === 1) {
    const { alertname: _, instance, ...others } = first.labels;
    const rest = instance === undefined ? others : { instance, ...others };
    if (!isWhole) return `${nameOf(first)}${instance === undefined ? '' : ` ${onOneLine(instance)}`}`;
    return `${nameOf(first)}${labelsText(rest)}`;
  }
  const counts = new Map<string, number>();
  for (const alert of alerts) counts.set(nameOf(alert), (counts.get(nameOf(alert)) ?? 0) + 1);
  return [...counts].map(([name, count]) => (count === 1 ? name : `${name} ×${count}`)).join(', ');
}

/** `{instance="a"}`. */
function labelsText(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${onOneLine(name)}="${onOneLine(value)}"`);
  return `{${pairs.join(', ')}}`;
}

function details(event: AlertEvent, isWhole: boolean): string {
  const { time, times, until, silence, version } = event;
  const own =
    event.event === 'notified'
      ? notified(event)
      : event.failure !== undefined
        ? failed(event.failure, isWhole)
        : event.suppressedBy !== undefined
          ? suppressed(event.suppressedBy, isWhole)
          : silence !== undefined
            ? `${event.event === 'silenceCreated' ? 'added' : 'changed'} by ${onOneLine(silence.createdBy)}, until ${shortTime(silence.endsAt, Date.parse(time))}: ${onOneLine(silence.matchers.join(', '))}`
            : version === undefined
              ? ''
              : `Alertmanager ${version}`;
  const again = until === undefined ? '' : `${counted(times, 'time')} until ${shortTime(until, Date.parse(time))}`;
  return [own, again].filter((text) => text !== '').join('; ');
}

function notified({ alerts, reason = '', attempts }: AlertEvent): string {
  const resolved = alerts.filter(({ isResolved }) => isResolved).length;
  const states = [
    ...(resolved < alerts.length ? [`${alerts.length - resolved} firing`] : []),
    ...(resolved > 0 ? [`${resolved} resolved`] : []),
  ].join(', ');
  const retried = attempts === undefined ? [] : [`attempt ${attempts}`];
  return [states, ...retried, ...(reason === '' ? [] : [reason])].join(', ');
}

/** Why a notification failed; on a narrow terminal only the cause, which has to fit. */
function failed({ why, isFinal }: NonNullable<AlertEvent['failure']>, isWhole: boolean): string {
  if (isWhole) return `${onOneLine(why)}${isFinal ? '' : '; Alertmanager retries'}`;
  const [, cause = why] =
    /(the name \S+ cannot be resolved)/.exec(why) ??
    /^is unreachable: .*: ([^:]+)$/.exec(why) ??
    /it (answers \d+)$/.exec(why) ??
    [];
  return `${onOneLine(cause)}${isFinal ? '; given up' : ', retries'}`;
}

function suppressed(by: Suppression, isWhole: boolean): string {
  switch (by.kind) {
    case 'silence': {
      const { id, createdBy, comment } = by.silence;
      return `silence ${id.slice(0, 8)} of ${onOneLine(createdBy)}: ${onOneLine(comment)}`;
    }
    case 'inhibition': {
      const alerts = by.alerts.map((labels) => ({ labels }));
      return `inhibited by ${alerts.length === 0 ? 'an alert' : alertsText(alerts, isWhole)}`;
    }
    case 'timeInterval':
      return onOneLine(by.mutedBy);
  }
}

/** Local time: `11-29 14:03:22`. */
function dayTime(time: string): string {
  const { day, clock } = localTime(new Date(time));
  return `${day} ${clock}`;
}

/** Local time: `14:03:22`, or `11-29 14:03` on another day. */
function shortTime(time: string, today: number): string {
  const { day, clock } = localTime(new Date(time));
  return day === localTime(new Date(today)).day ? clock : `${day} ${clock.slice(0, -3)}`;
}

function localTime(date: Date): { readonly day: string; readonly clock: string } {
  const two = (number: number): string => String(number).padStart(2, '0');
  return {
    day: `${two(date.getMonth() + 1)}-${two(date.getDate())}`,
    clock: `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`,
  };
}
