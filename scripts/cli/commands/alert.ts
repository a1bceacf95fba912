import * as z from 'zod';
import { type AlertTrace, isSuppressed, type LiveAlerts, traceAlert } from '../../inspect/alert-route.ts';
import { type AlertDelivery, sendAlert } from '../../inspect/send-alert.ts';
import type { Rendering } from '../../render/rendering.ts';
import { AlertmanagerClient, readRenderedRouting, readRouting } from '../../servers/alertmanager.ts';
import { openServers, type Servers } from '../../servers/servers.ts';
import { misuse } from '../../util/misuse.ts';
import { InputError, StackError } from '../../util/stack-error.ts';
import { type Context, exitCodes } from '../context.ts';
import { hintByName } from '../globals.ts';
import { toJsonTrace, traceKeys } from '../json/alertmanager.ts';
import { printAlertRoute } from '../print/alert-route.ts';
import { log } from './alert-log.ts';
import { collectPair, type LabelPair, readDuration, requireAlertmanager } from './arguments.ts';
import { defineCommand } from './command.ts';
import { connectEngine } from './find-stack.ts';
import { renderToLook } from './stages.ts';

const test = defineCommand({
  details:
    'Traces an alert with these labels through the routing tree: marks the matching branch and shows the ' +
    'receivers, and the time intervals, silences and inhibit rules that suppress it. Uses the routing of the ' +
    'running Alertmanager; while that is not reachable, the routing of stack.yml. With --send the alert is really ' +
    'sent: RECEIVERS ARE NOTIFIED. It resolves by itself.',
  examples: [
    {
      line: 'alert test --label alertname=DiskFull --label severity=critical',
      what: 'show which receivers it would reach',
    },
    { line: 'alert test --label severity=critical --send', what: 'send one and wait for its delivery' },
  ],
  syntax: (blank) =>
    blank
      .option('-l, --label <name=value>', 'label of the alert; may be repeated', collectPair)
      .option('--send', 'send the alert and report which receivers were notified')
      .option('--timeout <duration>', 'with --send: how long to wait, and when the alert resolves', '60s'),
  json: () =>
    z.strictObject({
      ...traceKeys(),
      deliveries: z
        .array(
          z.strictObject({
            receiver: z.string(),
            integration: z.string().describe('type and index in the receiver'),
            outcome: z.enum(['delivered', 'failed', 'waiting']),
            why: z.string().optional(),
            try: z.string().optional(),
          }),
        )
        .optional()
        .describe('with --send'),
    }),
  run: async (context, { label, send, timeout }) => {
    const labels = toLabels(label);
    const timeoutMs = readDuration('--timeout', timeout);
    const rendering = await renderToLook(context, undefined, { compare: false });
    requireAlertmanager(rendering.config);
    await using engine = await tryEngine(context, send === true);
    const servers = engine === undefined ? undefined : await openServers(engine, rendering.config, context.signal);
    try {
      const trace = await traceOrThrow(context, rendering, servers, labels);
      context.stdout.write(printAlertRoute(trace, context.stdout.colours));
      context.result(toJsonTrace(trace));
      if (send !== true || servers === undefined) return exitCodes.fine;
      const deliveries = await sendToReceivers(context, servers, trace, timeoutMs);
      context.result({
        ...toJsonTrace(trace),
        deliveries: deliveries.map(({ tryThis, ...delivery }) => ({ ...delivery, try: tryThis })),
      });
      context.stdout.write(
        hintByName(`\n${printDeliveries(deliveries, isSuppressed(trace), context)}`, context.stackName),
      );
      const isDelivered = deliveries.length > 0 && deliveries.every(({ outcome }) => outcome === 'delivered');
      return isDelivered ? exitCodes.fine : exitCodes.refused;
    } finally {
      servers?.close();
    }
  },
});

export const command = defineCommand({
  details: 'Shows how Alertmanager handles an alert, what it did with the alerts so far, and sends test alerts.',
  subcommands: [
    { name: 'test', summary: 'trace an alert to its receivers; --send notifies them', command: test },
    {
      name: 'log',
      summary: 'show what became of alerts: notified, failed, suppressed',
      command: log,
    },
  ],
});

/** An alert can be traced without an engine, but not sent. */
async function tryEngine(context: Context, isNeeded: boolean) {
  try {
    return await connectEngine(context);
  } catch (error) {
    if (isNeeded || !(error instanceof StackError)) throw error;
    return undefined;
  }
}

async function traceOrThrow(
  context: Context,
  rendering: Rendering,
  servers: Servers | undefined,
  labels: Readonly<Record<string, string>>,
): Promise<AlertTrace> {
  const rendered = readRenderedRouting(rendering);
  const routing = servers === undefined ? rendered : await readRouting(servers, rendered);
  const live = servers !== undefined && routing.isLive ? await readLive(new AlertmanagerClient(servers)) : undefined;
  const trace = traceAlert(labels, routing, live, new Date(context.clock.now()));
  if (trace !== undefined) return trace;
  throw new StackError({
    doing: 'tracing the alert',
    why: 'alertmanager.yml has no route, or one with an invalid matcher',
    tryThis: 'write "route: !value alertmanager.route" in templates/alertmanager/alertmanager.yml',
  });
}

async function readLive(client: AlertmanagerClient): Promise<LiveAlerts> {
  const [silences, alerts] = await Promise.all([client.silences(), client.alerts()]);
  return { silences, alerts: alerts.map((alert) => alert.labels) };
}

function sendToReceivers(
  { clock, signal }: Pick<Context, 'clock' | 'signal'>,
  servers: Servers,
  trace: AlertTrace,
  timeoutMs: number,
): Promise<readonly AlertDelivery[]> {
  const receivers = isSuppressed(trace) ? [] : trace.receivers.filter(({ mutedBy }) => mutedBy === undefined);
  const client = new AlertmanagerClient(servers);
  return sendAlert({ client, servers, labels: trace.labels, receivers, timeoutMs, clock, signal });
}

function printDeliveries(
  deliveries: readonly AlertDelivery[],
  suppressed: boolean,
  { stdout }: Pick<Context, 'stdout'>,
): string {
  const { green, red } = stdout.colours;
  if (deliveries.length === 0) {
    return `${red('✖')} sent, but nobody is notified: ${suppressed ? 'it is silenced or inhibited' : 'no receiver of its route currently notifies anybody'}\n`;
  }
  return deliveries
    .map(({ receiver, integration, outcome, why, tryThis }) =>
      outcome === 'delivered'
        ? `${green('✔')} delivered to ${receiver} via ${integration}\n`
        : `${red('✖')} not delivered to ${receiver} via ${integration}: ${why}\n    try: ${tryThis}\n`,
    )
    .join('');
}

/** An alert without a name is hard to identify, so it gets one. */
function toLabels(pairs: readonly LabelPair[] = []): Readonly<Record<string, string>> {
  const names = pairs.map(([name]) => name);
  const repeated = names.find((name, index) => names.indexOf(name) !== index);
  if (repeated !== undefined) {
    throw new InputError([misuse(`the label ${repeated} is given twice`, 'use each label once')]);
  }
  return { alertname: 'PromstackTest', ...Object.fromEntries(pairs) };
}
