import * as z from 'zod';
import { hasCanary } from '../../../stack/canary.ts';
import { checkPipeline } from '../../inspect/verify/check-pipeline.ts';
import type { PipelineCheckResult, StageResult } from '../../inspect/verify/pipeline-check.ts';
import { durationText } from '../../util/duration-text.ts';
import { misuse } from '../../util/misuse.ts';
import { InputError } from '../../util/stack-error.ts';
import { exitCodes } from '../context.ts';
import { hintByName } from '../globals.ts';
import type { Colours } from '../terminal-output.ts';
import { readDuration } from './arguments.ts';
import { defineCommand } from './command.ts';
import { connectEngine } from './find-stack.ts';
import { renderToLook } from './stages.ts';

export const command = defineCommand({
  details:
    'Pushes a canary metric and follows it through the Pushgateway, Prometheus, Grafana, the alert rule that fires ' +
    'on it and Alertmanager to the sink; also looks for rules that fail. Reports how long each stage took, or which stage is broken, why, and what ' +
    'to do; exits 1 then. The canary has its own route, without your receivers, and is removed afterwards: this is ' +
    'safe in production, and nobody is paged. With --receiver the pipeline is left alone: a temporary Alertmanager of the ' +
    'running image notifies that receiver of stack.yml of a test alert and of its resolution, and the outcome is shown.',
  examples: [
    { line: 'verify', what: 'test the whole pipeline' },
    { line: 'verify --timeout 10s --json', what: 'for scripts' },
    { line: 'verify --receiver pagerduty', what: 'notify one of your receivers, to see that it works' },
  ],
  syntax: (blank) =>
    blank
      .option('--timeout <duration>', 'timeout of each stage, or of each receiver', '60s')
      .option('--receiver <name...>', 'only NOTIFY these receivers, of a test alert and its resolution')
      .option('--all-receivers', 'only NOTIFY every receiver; asks first')
      .option('-y, --yes', 'with --all-receivers: do not ask'),
  json: () =>
    z.strictObject({
      stages: z.array(
        z.strictObject({
          name: z.string(),
          check: z.string().describe('what is proven once the canary has passed'),
          outcome: z.enum(['passed', 'failed', 'skipped']),
          durationSeconds: z.number(),
          detail: z.string().optional(),
          why: z.string().optional(),
          try: z.string().optional(),
        }),
      ),
      receivers: z
        .array(
          z.strictObject({
            receiver: z.string(),
            integration: z.string().describe('type and index in the receiver'),
            outcome: z.enum(['delivered', 'failed', 'waiting']),
            resolution: z.enum(['delivered', 'failed', 'not sent']).describe('of the resolved alert'),
            why: z.string().optional(),
            try: z.string().optional(),
          }),
        )
        .optional()
        .describe('with --receiver and --all-receivers'),
    }),
  run: async (context, { timeout, receiver, allReceivers, yes }) => {
    const { clock, signal, stdout } = context;
    const timeoutMs = readDuration('--timeout', timeout);
    if (receiver !== undefined && allReceivers === true)
      throw new InputError([misuse('--all-receivers is for every receiver', 'leave out --receiver')]);
    if (receiver !== undefined || allReceivers === true) {
      const { testReceivers } = await import('./verify-receivers.ts');
      const { json, code } = await testReceivers(context, { named: receiver, yes, timeoutMs });
      context.result({ stages: [], receivers: json });
      return code;
    }
    const rendering = await renderToLook(context, undefined, { compare: false });
    const { config } = rendering;
    if (!hasCanary(config)) {
      const hint = 'enable the Pushgateway and Prometheus, in server mode';
      throw new InputError([misuse('this stack has no pipeline from a push to an alert', hint)]);
    }
    await using engine = await connectEngine(context);
    const result = await checkPipeline({
      ...{ engine, rendering, clock, signal, timeoutMs, report: context.report },
      onResult: (stage) => stdout.write(hintByName(printStage(stage, stdout.colours), context.stackName)),
    });
    context.result({ stages: result.hops.map(toJsonStage) });
    stdout.write(summary(result, stdout.colours));
    return result.works ? exitCodes.fine : exitCodes.refused;
  },
});

function toJsonStage({ hop, claim, outcome, tookMs, detail, why, tryThis }: StageResult) {
  return {
    name: hop,
    check: claim,
    outcome: outcome === 'broken' ? 'failed' : outcome,
    durationSeconds: tookMs / 1000,
    detail,
    why,
    try: tryThis,
  } as const;
}

const nameWidth = 'alertmanager'.length;
const claimWidth = 37;

export function printStage(result: StageResult, { green, red, dim }: Colours): string {
  const { hop, claim, outcome, tookMs, detail, why, tryThis } = result;
  const name = hop.padEnd(nameWidth);
  if (outcome === 'skipped') return dim(`- ${name}  ${claim}: skipped\n`);
  const line = `${name}  ${claim.padEnd(claimWidth)} ${durationText(tookMs).padStart(8)}`;
  if (outcome === 'passed') return `${green('✔')} ${line}${detail === undefined ? '' : dim(`  ${detail}`)}\n`;
  return `${red('✖')} ${line}\n    ${why?.replaceAll('\n', '\n    ')}\n    try: ${tryThis}\n`;
}

function summary({ works, hops }: PipelineCheckResult, { green, red }: Colours): string {
  const tookMs = hops.reduce((sum, stage) => sum + stage.tookMs, 0);
  if (works) return `${green('✔')} the pipeline works (${durationText(tookMs)})\n`;
  const broken = hops.filter(({ outcome }) => outcome === 'broken').map(({ hop }) => hop);
  return `${red('✖')} the pipeline is broken at: ${broken.join(', ')}\n`;
}
