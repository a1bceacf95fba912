import { randomBytes } from 'node:crypto';
import { hasCanary } from '../../../stack/canary.ts';
import { type PipelineCheck, runPipelineCheck } from '../../inspect/verify/pipeline-check.ts';
import { cleanUp, stages } from '../../inspect/verify/stages.ts';
import { readRenderedRouting } from '../../servers/routing.ts';
import { openServers } from '../../servers/servers.ts';
import { misuse } from '../../util/misuse.ts';
import { InputError } from '../../util/stack-error.ts';
import { exitCodes } from '../exit-code.ts';
import { printEnd, printStage } from '../print/verify.ts';
import { defineCommand } from './command.ts';
import { readDuration } from './gateway-target.ts';
import { connectEngine, renderOrThrow } from './stages.ts';

/** `promstack verify`: the drill, which proves the way from a push to a notification. */
export const command = defineCommand({
  details:
    'Pushes a canary metric and follows it through the Pushgateway, Prometheus, Grafana, the alert rule that fires ' +
    'on it and Alertmanager to the sink. Reports how long each stage took, or which stage is broken, why, and what ' +
    'to do; exits 1 then. The canary has its own route, without your receivers, and is removed afterwards: this is ' +
    'safe in production, and nobody is paged.',
  examples: [
    { line: 'verify', what: 'test the whole pipeline' },
    { line: 'verify --timeout 10s --json', what: 'for scripts' },
  ],
  syntax: (blank) => blank.option('--timeout <duration>', 'timeout of each stage', '60s'),
  run: async (context, { timeout }) => {
    const { clock, signal, stdout, json } = context;
    const timeoutMs = readDuration('--timeout', timeout);
    const rendering = await renderOrThrow(context);
    if (!hasCanary(rendering.config)) {
      throw new InputError([
        misuse('this stack has no way from a push to an alert', 'enable the Pushgateway and Prometheus'),
      ]);
    }
    const { file: renderedRouting } = readRenderedRouting(rendering);
    await using engine = await connectEngine(context);
    const servers = await openServers(engine, rendering.config, signal);
    const nonce = randomBytes(6).toString('hex');
    const drill: PipelineCheck = { servers, nonce, startedAt: new Date(clock.now()), renderedRouting };
    const isBehind = (hop: string) => passed.has(hop) || signal.aborted;
    const passed = new Set<string>();
    try {
      const result = await runPipelineCheck(stages, drill, {
        clock,
        signal,
        timeoutMs,
        onHop: (hop) => {
          if (hop.outcome === 'passed') passed.add(hop.hop);
          if (!json) stdout.write(printStage(hop, stdout.colours));
        },
      });
      const { name: stack } = rendering.config;
      stdout.write(json ? `${JSON.stringify({ stack, ...result })}\n` : printEnd(result, stdout.colours));
      return result.works ? exitCodes.fine : exitCodes.refused;
    } finally {
      servers.close();
      // With servers of its own: a canary must not stay behind when the person interrupts the drill.
      const after = await openServers(engine, rendering.config, AbortSignal.timeout(cleanUpMs));
      const left = await cleanUp(after, nonce, clock.now());
      after.close();
      if (left !== undefined && isBehind('pushgateway')) {
        const text = `the canary could not be removed (${left}); the next promstack verify removes it`;
        context.report({ kind: 'warning', text });
      }
    }
  },
});

/** For all of the cleaning up. */
const cleanUpMs = 10_000;
