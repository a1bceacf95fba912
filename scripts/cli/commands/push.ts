import * as z from 'zod';
import { formatExposition, formatLabels, parseFloat64 } from '../../../stack/exposition/family.ts';
import { counted } from '../../../stack/values/words.ts';
import type { PushgatewayClient } from '../../servers/pushgateway/client.ts';
import { findGroup, removeGroup } from '../../servers/pushgateway/collect.ts';
import type { Group } from '../../servers/pushgateway/group.ts';
import { withRetries } from '../../servers/pushgateway/pusher.ts';
import { misuse } from '../../util/misuse.ts';
import { InputError } from '../../util/stack-error.ts';
import { type Context, type ExitCode, exitCodes } from '../context.ts';
import { collectPair, type LabelPair } from './arguments.ts';
import { defineCommand } from './command.ts';
import { openTarget, readGroup } from './gateway-target.ts';
import { type PreparedPush, preparePush, readSource, type Source } from './read-source.ts';

export const command = defineCommand({
  details:
    'Reads the Prometheus text format from a file or from stdin, reports each mistake with its line and column, ' +
    'compares it with the stored metrics, and sends it only if the Pushgateway will accept all of it. A missing ' +
    'final newline is added.',
  examples: [
    { line: 'push --job backup --var last_backup_bytes=1048576', what: 'one value' },
    { line: 'push metrics.txt --job snmp --label instance=10.40.80.1', what: 'a file' },
    { line: 'push --job batch --replace < metrics.txt', what: 'replace the whole group' },
    { line: 'push --job batch --delete', what: 'remove the group' },
  ],
  syntax: (blank) =>
    blank
      .argument('[file]', 'metrics in the text format (default: stdin)')
      .requiredOption('--job <name>', 'job of the group')
      .option('--label <name=value>', 'additional label of the group; may be repeated', collectPair)
      .option('--var <name=value>', 'push this value instead of a file; may be repeated', collectPair)
      .option('--replace', 'replace the whole group, not only the pushed metrics')
      .option('--delete', 'remove the group; groups with additional labels are kept')
      .option('--url <address>', "address of a Pushgateway (default: this stack's Pushgateway)")
      .option('--retries <number>', 'number of retries when it is unreachable or answers 5xx', '0')
      .option('--timeout <duration>', 'timeout of each request', '10s')
      .option('--dry-run', 'validate everything without sending it'),
  json: pushedSchema,
  run: async (context, options, [file]) => {
    checkOptions(options, file);
    const group = readGroup(options.job, options.label);
    const request: PushRequest = {
      group,
      replaces: options.replace === true,
      dryRun: options.dryRun === true,
      retries: readRetries(options.retries),
    };
    if (options.delete === true) {
      await using gateway = await openTarget(context, { ...options, deletes: true });
      return await remove(context, gateway, request);
    }
    const source = options.var === undefined ? await readSource(context, file) : fromPairs(options.var);
    await using gateway = await openTarget(context, options);
    return await push(context, gateway, source, request);
  },
});

function pushedSchema() {
  return z.strictObject({
    isDryRun: z.boolean(),
    method: z.enum(['POST', 'PUT', 'DELETE']).describe('DELETE: --delete, which has none of the keys below'),
    url: z.string(),
    metrics: z.array(z.strictObject({ name: z.string(), type: z.string() })).optional(),
    sampleCount: z.int().optional(),
    droppedSeries: z.array(z.string()).optional().describe('series of the group that the push removes'),
    bytes: z.int().optional(),
    durationSeconds: z.number().optional(),
  });
}

type PushContext = Context<z.input<ReturnType<typeof pushedSchema>>>;

interface PushRequest {
  readonly group: Group;
  readonly replaces: boolean;
  readonly dryRun: boolean;
  readonly retries: number;
}

async function push(
  context: PushContext,
  gateway: PushgatewayClient,
  { file, text }: Source,
  request: PushRequest,
): Promise<ExitCode> {
  const { group, replaces, dryRun, retries } = request;
  const { clock, signal, report } = context;
  const startedAt = clock.now();
  const retry = <T>(attempt: () => Promise<T>) =>
    withRetries(attempt, {
      retries,
      clock,
      signal,
      onRetry: ({ why }, waitMs) => report({ kind: 'note', text: `${why}; retrying in ${waitMs} ms` }),
    });
  const prepared = await retry(() => preparePush(gateway, { text, file, group, replaces }, signal));
  if (!prepared.ok) throw new InputError(prepared.error, { file, text });
  for (const diagnostic of prepared.warnings) report({ kind: 'diagnostic', diagnostic });
  const url = await retry(() => gateway.urlOf(group, signal));
  if (!dryRun) await retry(() => gateway.push(group, prepared.value.text, { replaces, signal }));
  print(context, { base: gateway.base, url }, request, prepared.value, clock.now() - startedAt);
  return exitCodes.fine;
}

function print(
  context: PushContext,
  { base, url }: { readonly base: string; readonly url: string },
  request: PushRequest,
  { families, text, dropped }: PreparedPush,
  tookMs: number,
): void {
  const samples = families.reduce((sum, family) => sum + family.samples.length, 0);
  const method = request.replaces ? 'PUT' : 'POST';
  context.result({
    isDryRun: request.dryRun,
    method,
    url,
    metrics: families.map(({ name, type }) => ({ name, type })),
    sampleCount: samples,
    droppedSeries: [...dropped],
    bytes: Buffer.byteLength(text),
    durationSeconds: tookMs / 1000,
  });
  const what = `${counted(samples, 'sample')} of ${counted(families.length, 'metric')}`;
  const message = request.dryRun
    ? `would ${method} ${what} to ${url}`
    : `pushed ${what} to ${formatLabels(request.group)} at ${base}`;
  context.report({ kind: 'note', isResult: true, text: message });
  if (dropped.length === 0) return;
  const shown = dropped.slice(0, shownSeries).join(', ');
  const more = dropped.length > shownSeries ? ` and ${dropped.length - shownSeries} more` : '';
  const verb = request.dryRun ? 'would drop' : 'dropped';
  const series = `${dropped.length} series of the group: ${shown}${more}`;
  context.report({ kind: 'note', isResult: true, text: `${verb} ${series}` });
}

async function remove(context: PushContext, gateway: PushgatewayClient, request: PushRequest): Promise<ExitCode> {
  const { dryRun } = request;
  const { group } = await findGroup(gateway, request.group, context.signal);
  const url = await gateway.urlOf(group.labels, context.signal);
  if (!dryRun) await removeGroup(gateway, group.labels, context);
  const text = `${dryRun ? 'would remove' : 'removed'} ${formatLabels(group.labels)} at ${gateway.base}`;
  context.result({ isDryRun: dryRun, method: 'DELETE', url });
  context.report({ kind: 'note', isResult: true, text });
  return exitCodes.fine;
}

/** The number of dropped series that are named. */
const shownSeries = 5;

function checkOptions(
  options: { readonly delete?: true | undefined; readonly replace?: true | undefined; readonly var?: unknown },
  file: string | undefined,
): void {
  const isDelete = options.delete === true;
  if (isDelete && (file !== undefined || options.var !== undefined || options.replace === true)) {
    throw new InputError([misuse('--delete pushes nothing', 'omit the file, --var and --replace')]);
  }
  if (file !== undefined && options.var !== undefined) {
    throw new InputError([
      misuse('a file and --var cannot be combined', 'push one after the other; groups keep their other metrics'),
    ]);
  }
}

function readRetries(text: string): number {
  if (/^\d{1,3}$/.test(text)) return Number(text);
  throw new InputError([misuse(`--retries ${text} is not a number`, 'use a whole number of 0 or more')]);
}

function fromPairs(pairs: readonly LabelPair[]): Source {
  const metrics = pairs.map(([name, word]) => {
    const value = parseFloat64(word);
    if (value === undefined) throw new InputError([misuse(`--var ${name}=${word}: ${word} is not a number`)]);
    return { name, samples: [{ value }] };
  });
  return { file: '--var', text: formatExposition(metrics) };
}
