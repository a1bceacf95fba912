import { randomBytes } from 'node:crypto';
import type { Engine } from '../../engine/engine.ts';
import type { Rendering } from '../../render/rendering.ts';
import { readRenderedRouting } from '../../servers/alertmanager.ts';
import { openServers } from '../../servers/servers.ts';
import type { Clock } from '../../util/clock.ts';
import type { Report } from '../../util/event.ts';
import { nameClashes } from '../name-clashes.ts';
import {
  type PipelineCheck,
  type PipelineCheckResult,
  runPipelineCheck,
  type Stage,
  type StageResult,
} from './pipeline-check.ts';
import { cleanUp, stages } from './stages.ts';

export interface CheckPipelineOptions {
  readonly engine: Engine;
  readonly rendering: Rendering;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly report: Report;
  /** Of each stage. */
  readonly timeoutMs: number;
  /** Called at the beginning with the stages that will be run. */
  onBegin?(stages: readonly Pick<Stage, 'name' | 'claim'>[]): void;
  onResult?(result: StageResult): void;
}

const cleanUpMs = 10_000;

/** Sends a canary through the pipeline of a running stack, and removes it afterwards. */
export async function checkPipeline(options: CheckPipelineOptions): Promise<PipelineCheckResult> {
  const { engine, rendering, clock, signal, report, timeoutMs, onBegin, onResult } = options;
  const { config } = rendering;
  const servers = await openServers(engine, config, signal);
  const nonce = randomBytes(6).toString('hex');
  const renderedRouting = readRenderedRouting(rendering);
  const check: PipelineCheck = {
    servers,
    nonce,
    startedAt: new Date(clock.now()),
    renderedRouting,
    nameClashes: () => nameClashes(engine, config.name),
  };
  let isPushed = false;
  try {
    return await runPipelineCheck(stages, check, {
      clock,
      signal,
      timeoutMs,
      onBegin: (present) => onBegin?.(present),
      onResult: (stage) => {
        if (stage.hop === 'pushgateway') isPushed = stage.outcome === 'passed';
        onResult?.(stage);
      },
    });
  } finally {
    servers.close();
    // With a separate signal, so that the canary is removed after Ctrl-C, too.
    const after = await openServers(engine, config, AbortSignal.timeout(cleanUpMs));
    const why = await cleanUp(after, nonce);
    after.close();
    if (why !== undefined && (isPushed || signal.aborted)) {
      const text = `the canary could not be removed (${why}); the next promstack verify removes it`;
      report({ kind: 'warning', text });
    }
  }
}
