import type { Run } from '../apply/run.ts';
import type { StackOrigin } from '../config/loaded.ts';
import type { Rendering } from '../render/rendering.ts';
import { pageActions } from './actions.ts';
import { groupDetails } from './gateway-part.ts';
import { PageFeed } from './page-feed.ts';
import { readPageFiles } from './page-files.ts';
import { type PageServer, startPageServer } from './page-server.ts';
import { ruleDetails, targetDetails } from './prometheus-part.ts';
import { diffRevisions } from './revision-diff.ts';
import { StackSampler, type WatchedStack } from './stack-sampler.ts';

export interface ServePageOptions extends WatchedStack, Pick<Run, 'env' | 'report'> {
  /** 0 for a free one. */
  readonly port: number;
  /** The file that the stack is managed from; undefined for a stack that is named by -p. */
  readonly origin: StackOrigin | undefined;
  /** Renders all of stack.yml with its secrets; undefined for a stack that is named by -p. */
  readonly renderWhole: (() => Promise<Rendering>) | undefined;
  /** Called when the page can be opened. */
  onListening(server: Pick<PageServer, 'url' | 'urlOnce'>): void;
}

/** Serves the live page of a stack until the signal aborts; rejects with a StackError when the port is taken. */
export async function servePage(options: ServePageOptions): Promise<void> {
  const { clock, engine, stack, mayChange, env, report, origin, renderWhole } = options;
  const bug = new AbortController();
  const signal = AbortSignal.any([options.signal, bug.signal]);
  const watched = { ...options, signal };
  await using sampler = new StackSampler(watched);
  const feed = new PageFeed(
    {
      start: () => sampler.poller.start(),
      get isComplete() {
        return sampler.poller.haveAllEnded;
      },
      snapshot: (given) => sampler.snapshot(given),
      pause: () => sampler.pause(),
    },
    { clock, signal },
  );
  const onChanged = (): void => {
    for (const name of ['groups', 'alerts', 'history', 'status']) sampler.poller.hurry(name);
    feed.hurry();
  };
  const diff = onceAtATime((revisions: Parameters<typeof diffRevisions>[2]) => diffRevisions(engine, stack, revisions));
  await using server = await startPageServer({
    port: options.port,
    files: await readPageFiles(),
    feed,
    details: {
      group: async (query) => {
        const group = sampler.group(query.get('id') ?? '');
        return group && groupDetails(group);
      },
      target: async (query) => {
        const target = sampler.target(query.get('id') ?? '');
        return target && targetDetails(target);
      },
      rule: async (query) => {
        const rule = sampler.rule(query.get('id') ?? '');
        return rule && ruleDetails(rule);
      },
      diff: async (query) => {
        const from = query.get('from');
        return from === null ? undefined : diff({ from, to: query.get('to') ?? undefined });
      },
    },
    actions: mayChange ? pageActions({ ...{ watched, sampler, env, report, origin, renderWhole }, onChanged }) : {},
    onBug: (error) => bug.abort(error),
  });
  options.onListening(server);
  await feed.run();
  if (bug.signal.aborted && !options.signal.aborted) throw bug.signal.reason;
}

/** Requests for the same at the same time get one result: only the first of them costs the engine anything. */
function onceAtATime<A, T>(work: (given: A) => Promise<T>): (given: A) => Promise<T> {
  const running = new Map<string, Promise<T>>();
  return (given) => {
    const key = JSON.stringify(given);
    const known = running.get(key) ?? work(given).finally(() => running.delete(key));
    running.set(key, known);
    return known;
  };
}
