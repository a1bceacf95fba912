import { stringify } from 'yaml';
import * as z from 'zod';
import type { KeyPath } from '../../../stack/diagnostic.ts';
import { toSize } from '../../../stack/values/units.ts';
import { andList } from '../../../stack/values/words.ts';
import { type Advice, advise, type MemoryAdvice, megabytes } from '../../inspect/advise.ts';
import { type Context, exitCodes } from '../context.ts';
import { table } from '../print/table.ts';
import { defineCommand } from './command.ts';
import { configOrThrow, connectEngine } from './find-stack.ts';

export const command = defineCommand({
  details:
    'Proposes memory limits from what the servers of the running stack have held in the last seven days, as Prometheus has it: each with ' +
    'its reason, and as lines for stack.yml. A Go program gets 90 % of its limit as GOMEMLIMIT. Proposes nothing for a server of ' +
    'which less than three hours are known. Changes nothing.',
  examples: [
    { line: 'advise', what: 'limits for the servers of this stack' },
    { line: 'advise --json', what: 'for scripts' },
  ],
  json: () =>
    z.strictObject({
      servers: z.array(
        z.strictObject({
          service: z.string(),
          key: z.string().describe('where its limit is in stack.yml'),
          knownSeconds: z.number(),
          residentBytes: z.number().optional(),
          heapBytes: z.number().optional().describe('in use after garbage collection'),
          codeBytes: z.number().optional().describe('resident besides the heap'),
          limitBytes: z.number().optional(),
          verdict: z.enum(['keep', 'set', 'raise', 'lower', 'unknown']),
          proposedBytes: z.number().optional(),
          reason: z.string(),
        }),
      ),
      series: z.strictObject({ now: z.number(), most: z.number() }).optional(),
      engineBytes: z.number().optional(),
      totalBytes: z.number().describe('the sum of the limits, with what is proposed'),
      unlimited: z.array(z.string()).describe('servers without a limit, also after that'),
    }),
  run: async (context) => {
    const config = await configOrThrow(context);
    await using engine = await connectEngine(context);
    const advice = await advise({ engine, config, signal: context.signal });
    context.result({
      ...advice,
      servers: advice.servers.map(({ key, seconds, because, ...server }) => ({
        ...server,
        key: key.join('.'),
        knownSeconds: seconds,
        reason: because,
      })),
      unlimited: [...advice.unlimited],
    });
    context.stdout.write(printAdvice(advice, context.stdout));
    for (const text of notesOf(advice)) context.report({ kind: 'note', isResult: true, text });
    return exitCodes.fine;
  },
});

function printAdvice(advice: Advice, { colours, columns }: Context['stdout']): string {
  const sizeOf = (bytes: number | undefined): string => (bytes === undefined ? '-' : megabytes(bytes));
  const rows = advice.servers.map(({ service, residentBytes, heapBytes, limitBytes, proposedBytes }) => [
    service,
    sizeOf(residentBytes),
    sizeOf(heapBytes),
    limitBytes === undefined ? 'none' : megabytes(limitBytes),
    proposedBytes === undefined ? '' : megabytes(proposedBytes),
  ]);
  const heading = ['service', 'resident', 'in use', 'limit', 'proposed'];
  const reasons = advice.servers.map(({ service, because }) => [service, because]);
  const proposed = advice.servers.filter(({ proposedBytes }) => proposedBytes !== undefined);
  const lines = proposed.length === 0 ? '' : `\n${linesFor(proposed)}`;
  return `${table([heading, ...rows], { columns: columns() || undefined })}\n${table(reasons)}${colours.cyan(lines)}`;
}

/** The proposals as they are in stack.yml. */
export function linesFor(proposed: readonly Pick<MemoryAdvice, 'key' | 'proposedBytes'>[]): string {
  const tree = {};
  for (const { key, proposedBytes = 0 } of proposed) place(tree, key, toSize(proposedBytes));
  return stringify(tree);
}

function place(tree: Record<string, unknown>, [first = '', ...rest]: KeyPath, value: string): void {
  const name = String(first);
  if (rest.length === 0) tree[name] = value;
  else {
    const below = (tree[name] ?? {}) as Record<string, unknown>;
    tree[name] = below;
    place(below, rest, value);
  }
}

function notesOf({ servers, series, engineBytes, totalBytes, unlimited }: Advice): readonly string[] {
  const proposed = servers.filter(({ proposedBytes }) => proposedBytes !== undefined);
  const total = `the limits would be ${megabytes(totalBytes)} together`;
  const without = unlimited.length === 0 ? '' : `, without ${andList(unlimited, '')}`;
  const most = series === undefined || series.most === series.now ? '' : `, at most ${series.most}`;
  return [
    ...(series === undefined ? [] : [`Prometheus has ${series.now} series in memory now${most}`]),
    ...(totalBytes > 0 && engineBytes !== undefined
      ? [
          totalBytes > engineBytes
            ? `${total}${without}, more than the ${megabytes(engineBytes)} of the engine: it needs more memory, or the stack fewer series`
            : `${total}${without}, of the ${megabytes(engineBytes)} of the engine`,
        ]
      : []),
    proposed.length === 0
      ? 'nothing is proposed'
      : 'put these lines into stack.yml, and run `promstack up`: it recreates the containers',
  ];
}
