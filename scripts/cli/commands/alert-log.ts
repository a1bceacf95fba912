import { closest } from '../../../stack/values/closest.ts';
import { counted, listedNames } from '../../../stack/values/words.ts';
import { roleLabel, stackLabel } from '../../engine/labels.ts';
import { type AlertEvent, AlertLog } from '../../inspect/alert-log/events.ts';
import { failedRequests } from '../../inspect/alert-log/failed-requests.ts';
import { type AlertLogSource, findAlertLog, readNewRecords, readRecords } from '../../inspect/alert-log/read.ts';
import { AlertmanagerClient } from '../../servers/alertmanager.ts';
import { NoAnswerError, openServers, type Servers } from '../../servers/servers.ts';
import { notFound } from '../../state/find-stack.ts';
import { misuse } from '../../util/misuse.ts';
import { InputError } from '../../util/stack-error.ts';
import { type Context, exitCodes } from '../context.ts';
import { alertLogLineSchema, alertLogSchema, toJsonEvent, toJsonFailedRequests } from '../json/alert-log.ts';
import { printAlertLog, printFailedRequests, printFollowed } from '../print/alert-log.ts';
import { requireAlertmanager } from './arguments.ts';
import { defineCommand } from './command.ts';
import { connectEngine, stackOrThrow } from './find-stack.ts';
import { parseSince } from './logs.ts';

const service = 'alertmanager';

export const log = defineCommand({
  details:
    'Shows what became of each alert: created, grouped, notified (which receiver, and why) and resolved; or suppressed, by which ' +
    'silence, inhibiting alert or time interval. Alertmanager 0.33 and newer records it; failed notifications and retries ' +
    'are from its log. What a time interval mutes is computed from the running config. An event that repeats, such as an ' +
    'alert that stays silenced, is one line with its last time.',
  examples: [
    { line: 'alert log', what: 'the last 24 hours' },
    { line: 'alert log --alert DiskFull --since 7d', what: 'one alert' },
    { line: 'alert log --receiver pagerduty --follow', what: 'follow one receiver' },
  ],
  syntax: (blank) =>
    blank
      .option('--alert <name>', 'only events of alerts with this name')
      .option('--receiver <name>', 'only events of this receiver, and of the alerts that are routed to it')
      .option('--since <when>', 'show events since a time such as 2026-01-31T12:00:00Z, or since 10m ago', '1d')
      .option('--follow', 'show new events until Ctrl-C'),
  json: alertLogSchema,
  jsonLine: alertLogLineSchema,
  run: async (context, { alert, receiver, since, follow }) => {
    const { clock, signal, stdout, report } = context;
    const from = parseSince(since, clock.now());
    if (from === undefined) {
      const hint = 'use a duration such as 10m or 1h30m, or a time such as 2026-01-31T12:00:00Z';
      throw new InputError([misuse(`--since ${since} is not a time`, hint)]);
    }
    const { config, origin } = await stackOrThrow(context);
    requireAlertmanager(config);
    await using engine = await connectEngine(context);
    const containers = await engine.listContainers({ [stackLabel]: config.name, [roleLabel]: 'service' });
    if (containers.length === 0) throw await notFound(engine, config.name, origin);
    const servers = await openServers(engine, config, signal);
    try {
      const source = await findAlertLog(servers);
      const { events: records, skipped, bytes } = await readRecords(servers, source);
      const alertLog = new AlertLog(source.config);
      const oldest = new Date(records[0]?.time ?? 0);
      const startedAt = clock.now();
      const all = alertLog.add(records, await servers.lines(service, oldest), startedAt);
      const isShown = shownBy({ alert, receiver, from });
      const events = all.filter(isShown);
      const layout = { colours: stdout.colours, columns: stdout.columns(), now: clock.now() };
      const failed = await countFailed(servers);
      context.result({
        events: follow === true ? undefined : events.map(toJsonEvent),
        skippedLines: skipped,
        failedRequests: toJsonFailedRequests(failed),
      });
      if (events.length > 0) stdout.write(printAlertLog(events, layout));
      else if (follow !== true) report({ kind: 'note', isResult: true, text: nothingToShow(all, { alert, receiver }) });
      for (const text of printFailedRequests(failed)) report({ kind: 'note', text });
      if (skipped > 0) report({ kind: 'warning', text: unknownLines(skipped) });
      if (follow !== true) return exitCodes.fine;
      for (const event of events) context.line({ kind: 'event', ...toJsonEvent(event) });
      const followed = { source, alertLog, bytes, since: new Date(startedAt) };
      await followEvents(context, servers, followed, (event) => {
        if (!isShown(event)) return;
        context.line({ kind: 'event', ...toJsonEvent(event) });
        stdout.write(printFollowed(event, layout));
      });
      return exitCodes.fine;
    } finally {
      servers.close();
    }
  },
});

interface Filter {
  readonly alert?: string | undefined;
  readonly receiver?: string | undefined;
}

function shownBy({ alert, receiver, from }: Filter & { readonly from: Date }): (event: AlertEvent) => boolean {
  return (event) =>
    Date.parse(event.until ?? event.time) >= from.getTime() &&
    (alert === undefined || event.alerts.some(({ labels }) => labels['alertname'] === alert)) &&
    (receiver === undefined || (event.receiver ?? receiver) === receiver) &&
    (receiver === undefined || event.receiver === receiver || event.receivers.includes(receiver));
}

/** Why there is nothing to show, with what the log has. */
function nothingToShow(all: readonly AlertEvent[], { alert, receiver }: Filter): string {
  const names = [...new Set(all.flatMap(({ alerts }) => alerts.map(({ labels }) => labels['alertname'] ?? '')))];
  const receivers = [...new Set(all.flatMap((event) => event.receiver ?? []))];
  const missing = (kind: string, name: string | undefined, known: readonly string[]): string | undefined => {
    if (name === undefined || known.includes(name)) return undefined;
    const near = closest(name, known);
    const hint =
      near === undefined ? `it has ${known.length === 0 ? 'none' : listedNames(known)}` : `did you mean ${near}?`;
    return `the alert log has no ${kind} ${name}: ${hint}`;
  };
  return (
    missing('alert', alert, names) ??
    missing('receiver', receiver, receivers) ??
    'the alert log has no events of that time'
  );
}

const unknownLines = (skipped: number): string =>
  `${counted(skipped, 'line')} of the file of Alertmanager ${skipped === 1 ? 'is' : 'are'} of an unknown format and not shown: its event recorder is experimental`;

async function countFailed(servers: Servers) {
  try {
    return failedRequests(await new AlertmanagerClient(servers).metrics());
  } catch (error) {
    if (error instanceof NoAnswerError) return [];
    throw error;
  }
}

/** The pause between two looks at the file. */
const pauseMs = 1_000;

/** Calls back for each event after the first bytes of the file until the signal aborts. */
async function followEvents(
  { clock, signal }: Pick<Context, 'clock' | 'signal'>,
  servers: Servers,
  { source, alertLog, ...start }: { source: AlertLogSource; alertLog: AlertLog; bytes: number; since: Date },
  onEvent: (event: AlertEvent) => void,
): Promise<void> {
  let { bytes } = start;
  for (;;) {
    await clock.sleep(pauseMs, signal).catch(() => undefined);
    if (signal.aborted) return;
    try {
      const read = await readNewRecords(servers, source, bytes);
      bytes = read.bytes;
      const lines = await servers.lines(service, start.since);
      for (const event of alertLog.add(read.events, lines, clock.now())) onEvent(event);
    } catch (error) {
      if (signal.aborted) return;
      // It is followed again once Alertmanager runs.
      if (!(error instanceof NoAnswerError)) throw error;
    }
  }
}
