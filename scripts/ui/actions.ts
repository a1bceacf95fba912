import * as z from 'zod';
import { hasCanary } from '../../stack/canary.ts';
import { formatLabels } from '../../stack/exposition/family.ts';
import { counted } from '../../stack/values/words.ts';
import { changeStack } from '../apply/change.ts';
import { chooseRevision, rollBack } from '../apply/roll-back.ts';
import type { Run } from '../apply/run.ts';
import type { StackOrigin } from '../config/loaded.ts';
import { checkPipeline } from '../inspect/verify/check-pipeline.ts';
import type { Stage, StageResult } from '../inspect/verify/pipeline-check.ts';
import type { Rendering } from '../render/rendering.ts';
import { AlertmanagerClient } from '../servers/alertmanager.ts';
import { pushgatewayOf } from '../servers/pushgateway/client.ts';
import { removeGroup } from '../servers/pushgateway/collect.ts';
import { toGroup } from '../servers/pushgateway/group.ts';
import { readSilenceMatchers } from '../servers/silence-matchers.ts';
import { misuse } from '../util/misuse.ts';
import { InputError, isAbort, StackError } from '../util/stack-error.ts';
import { userAtHost } from '../util/user.ts';
import type { PageActions } from './page-requests.ts';
import type { PageHop, PageVerify } from './page-state.ts';
import type { StackSampler, WatchedStack } from './stack-sampler.ts';

/** What the changes of a page need besides the stack that it shows. */
export interface ActionOptions extends Pick<Run, 'env' | 'report'> {
  readonly watched: WatchedStack;
  readonly sampler: StackSampler;
  readonly origin: StackOrigin | undefined;
  /** Renders all of stack.yml with its secrets; undefined for a stack that is named by -p. */
  readonly renderWhole: (() => Promise<Rendering>) | undefined;
  /** Called when a change was made. */
  onChanged(): void;
}

/** What a change answers: a sentence to show. */
interface Done {
  readonly text: string;
}

const longestText = 4_096;
const text = z.string().max(longestText);
const bodies = {
  silence: z.strictObject({
    matchers: z.array(text).min(1).max(100),
    minutes: z
      .number()
      .positive()
      .max(366 * 24 * 60),
    comment: text,
  }),
  'expire-silence': z.strictObject({ id: z.uuid() }),
  'delete-group': z.strictObject({ id: text }),
  reload: z.strictObject({}),
  rollback: z.strictObject({ revision: z.string().regex(/^[0-9a-f]{4,64}$/, 'is not a revision') }),
  verify: z.strictObject({}),
} satisfies { readonly [Name in keyof PageActions]: z.ZodType };

/** The changes that a page may make, by the path of their route. */
export function pageActions(
  options: ActionOptions,
): Readonly<Record<keyof PageActions, (body: unknown) => Promise<Done>>> {
  const { watched, sampler, onChanged } = options;
  const { clock, signal } = watched;
  const run = { engine: watched.engine, clock, signal, env: options.env, report: options.report };
  const verify = verifier(options);
  const action =
    <Name extends keyof PageActions>(name: Name, work: (body: z.infer<(typeof bodies)[Name]>) => Promise<string>) =>
    async (given: unknown): Promise<Done> => {
      const body = bodies[name].safeParse(given);
      if (!body.success)
        throw new InputError(body.error.issues.map(({ path, message }) => misuse(`${path.join('.')}: ${message}`)));
      const done = await work(body.data as z.infer<(typeof bodies)[Name]>);
      onChanged();
      return { text: done };
    };
  return {
    silence: action('silence', async ({ matchers: words, minutes, comment }) => {
      if (comment.trim() === '') throw new InputError([misuse('the silence has no comment', 'give a reason')]);
      const client = new AlertmanagerClient(await sampler.servers());
      const matchers = readSilenceMatchers(words);
      const [start, end] = [clock.now(), clock.now() + minutes * 60_000].map((ms) => new Date(ms).toISOString());
      await client.addSilence({ matchers, startsAt: start ?? '', endsAt: end ?? '', createdBy: userAtHost(), comment });
      const active = await client.alerts(matchers);
      return `silences ${active.length === 0 ? 'no alert' : counted(active.length, 'alert')} active now, until ${end}`;
    }),
    'expire-silence': action('expire-silence', async ({ id }) => {
      await new AlertmanagerClient(await sampler.servers()).expireSilence(id);
      return `expired ${id}`;
    }),
    'delete-group': action('delete-group', async ({ id }) => {
      const group = sampler.group(id)?.item;
      const doing = 'deleting a group';
      if (group === undefined) throw new StackError({ doing, why: 'it is no longer there' });
      const gateway = pushgatewayOf(await sampler.servers());
      const { group: removed } = await removeGroup(gateway, toGroup(group.job, group.labels), { clock, signal });
      return `removed ${formatLabels(removed.labels)}`;
    }),
    reload: action('reload', async () => {
      const doing = 'reloading the stack';
      if (options.renderWhole === undefined) {
        throw new StackError({ doing, why: 'its stack.yml is not known', tryThis: 'promstack ui -f FILE' });
      }
      const rendering = await options.renderWhole();
      const { plan } = await changeStack({ ...run, rendering, command: 'reload', filesOnly: true });
      return changesText(plan.changes.filter(({ action: what }) => what !== 'none').map(({ service }) => service));
    }),
    rollback: action('rollback', async ({ revision }) => {
      const { plan } = await rollBack({
        ...run,
        ...{ stack: watched.stack, config: sampler.config, origin: options.origin },
        choose: (history) => chooseRevision(history, revision),
      });
      return changesText(plan.changes.filter(({ action: what }) => what !== 'none').map(({ service }) => service));
    }),
    verify: action('verify', async () => {
      verify();
      return 'the check has begun';
    }),
  };
}

const changesText = (services: readonly string[]): string =>
  services.length === 0 ? 'nothing to do' : `${counted(services.length, 'service')} changed: ${services.join(', ')}`;

/** The longest time of a stage. */
const stageMs = 60_000;

/** Checks the pipeline, one check at a time, and shows each hop as it passes. */
function verifier({ watched, sampler, report, onChanged }: ActionOptions): () => void {
  let isRunning = false;
  const { clock, engine, signal } = watched;
  const check = async (startedAt: number): Promise<void> => {
    const show = (verify: Omit<PageVerify, 'id' | 'startedAt'>): void => {
      sampler.setVerify({ id: 'last', startedAt, ...verify });
      onChanged();
    };
    const results: StageResult[] = [];
    let planned: readonly Pick<Stage, 'name' | 'claim'>[] = [];
    show({ state: 'running', hops: [] });
    try {
      const rendering = await watched.render();
      if (!hasCanary(rendering.config)) {
        const why = 'this stack has no pipeline from a push to an alert';
        throw new StackError({ doing: 'checking the pipeline', why, tryThis: 'enable the Pushgateway and Prometheus' });
      }
      const { works } = await checkPipeline({
        ...{ engine, rendering, clock, signal, report, timeoutMs: stageMs },
        onBegin: (present) => {
          planned = present;
          show({ state: 'running', hops: toHops(planned, results) });
        },
        onResult: (result) => {
          results.push(result);
          show({ state: 'running', hops: toHops(planned, results) });
        },
      });
      show({ state: works ? 'passed' : 'failed', hops: toHops([], results) });
    } catch (error) {
      if (isAbort(error, signal)) return;
      if (!(error instanceof StackError || error instanceof InputError)) throw error;
      const { message: why, tryThis } =
        error instanceof StackError
          ? { message: error.why, tryThis: error.tryThis }
          : { message: error.message, tryThis: undefined };
      show({ state: 'failed', error: why, tryThis, hops: toHops([], results) });
    }
  };
  return () => {
    if (isRunning) throw new StackError({ doing: 'checking the pipeline', why: 'a check is already running' });
    isRunning = true;
    void check(clock.now()).finally(() => {
      isRunning = false;
    });
  };
}

/** The results so far, and the planned stages that follow: the first of them runs. */
function toHops(
  planned: readonly Pick<Stage, 'name' | 'claim'>[],
  results: readonly StageResult[],
): readonly PageHop[] {
  const done = results.map(({ hop, outcome, ...result }): PageHop => {
    return { name: hop, outcome: outcome === 'broken' ? 'failed' : outcome, ...result };
  });
  const open = planned.slice(results.length).map(({ name, claim }, at): PageHop => {
    return { name, claim, outcome: at === 0 ? 'running' : 'waiting', tookMs: 0 };
  });
  return [...done, ...open];
}
