import { changeSwarm } from '../../apply/swarm/change.ts';
import { findHealthChecks } from '../../apply/swarm/health-checks.ts';
import type { Engine } from '../../engine/engine.ts';
import { hasVisibleSteps, printSteps } from '../../plan/plan.ts';
import { addressNote, observeStack } from '../../plan/swarm/place.ts';
import { compareWithSwarm, planOnSwarm, type SwarmPlanOptions } from '../../plan/swarm/plan-stack.ts';
import { recordedTarget } from '../../plan/swarm/running.ts';
import type { Rendering } from '../../render/rendering.ts';
import { type Context, type ExitCode, exitCodes } from '../context.ts';
import { toJsonChanged } from '../json/change.ts';
import { toJsonPlan } from '../json/plan.ts';
import { printChanged } from '../print/change.ts';
import { printImages, printPlan, printReport } from '../print/plan.ts';
import { askToTakeOver } from './take-over.ts';

interface Connected {
  readonly engine: Engine;
  readonly rendering: Rendering;
}

/** What `up` and `reload` do for a stack on a swarm, where new files replace tasks one at a time. */
export async function upOnSwarm(
  context: Context<ReturnType<typeof toJsonChanged>>,
  options: Connected & {
    readonly command: string;
    readonly waitMs: number | undefined;
    readonly recreate?: boolean | undefined;
    readonly yes: true | undefined;
  },
): Promise<ExitCode> {
  const { env, report, clock, signal, stdout } = context;
  const { yes, ...run } = options;
  const changed = await askToTakeOver(context, yes, (takeOver) =>
    changeSwarm({ ...run, takeOver, env, report, clock, signal }),
  );
  context.result(toJsonChanged(changed));
  stdout.write(printChanged(changed));
  const note = addressNote(options.rendering.config);
  if (note !== undefined) report({ kind: 'note', text: note });
  return exitCodes.fine;
}

/** Plans what `up` would do on a swarm, and prints it; changes nothing. */
export async function showSwarmPlan(
  { stdout, env }: Pick<Context, 'stdout' | 'env'>,
  { engine, rendering }: Connected,
  {
    recreate,
    summary,
    steps,
  }: {
    readonly recreate?: boolean | undefined;
    readonly summary?: true | undefined;
    readonly steps?: true | undefined;
  },
) {
  const report = await planOnSwarm({ engine, rendering, recreate, findChecks: checksBy(engine, env) });
  const { plan } = report;
  const { colours } = stdout;
  stdout.write(summary === true ? printPlan(plan) + printImages(report, colours) : printReport(report, colours));
  if (steps === true) stdout.write(`\n${printSteps(plan.steps)}`);
  const isPending = hasVisibleSteps(plan) || report.obstacle !== undefined;
  return { ...report, isPending, problems: [], json: { ...toJsonPlan(report), problems: [] } };
}

const checksBy =
  (engine: Engine, env: Context['env']): SwarmPlanOptions['findChecks'] =>
  (rendering, imageOf) =>
    findHealthChecks(engine, rendering, imageOf, env);

/** What a stack has on a swarm, beside what stack.yml says; beside its last confirmed revision for one that is named by `-p`. */
export async function compareOnSwarm(
  { env, stackName }: Pick<Context, 'env' | 'stackName'>,
  { engine, rendering }: Connected,
) {
  if (stackName !== undefined) {
    const observed = await observeStack(engine, stackName);
    return { rendering, observed, target: recordedTarget(stackName, observed) };
  }
  return compareWithSwarm({ engine, rendering, findChecks: checksBy(engine, env) });
}
