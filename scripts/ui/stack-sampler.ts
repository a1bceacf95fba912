import type { StackConfig } from '../../stack/config.ts';
import { enabledServices } from '../../stack/services.ts';
import { parseDuration } from '../../stack/values/units.ts';
import type { ContainerSummary, Engine } from '../engine/engine.ts';
import { stackLabel } from '../engine/labels.ts';
import { readSecrets } from '../inspect/logs.ts';
import type { StatusProblem } from '../inspect/probe.ts';
import type { Rendering } from '../render/rendering.ts';
import { type Routing, readLiveRouting } from '../servers/alertmanager.ts';
import type { RunningAlert } from '../servers/prometheus.ts';
import { NoAnswerError, type Servers } from '../servers/servers.ts';
import { findStack, servicesAmong } from '../state/find-stack.ts';
import { lastConfirmed } from '../state/history.ts';
import type { Clock } from '../util/clock.ts';
import { redactIn } from '../util/redaction.ts';
import { StackError } from '../util/stack-error.ts';
import {
  type AlertmanagerAnswers,
  alertsByRoute,
  RouteTree,
  readAlertmanager,
  toPageAlerts,
  toPageSilences,
} from './alerts-part.ts';
import { type EdgeId, Edges } from './edges.ts';
import { type GroupPart, readGateway } from './gateway-part.ts';
import { knownParts } from './known-parts.ts';
import { toNodes } from './nodes-part.ts';
import { ItemList } from './page-changes.ts';
import {
  type EngineState,
  type ListName,
  listNames,
  type PageHeader,
  type PageProblem,
  type PageState,
  type PageVerify,
  partNames,
  type Snapshot,
} from './page-state.ts';
import { type Poll, Poller } from './poller.ts';
import { type RulePart, readPrometheus, readRules, readTargets, type TargetPart } from './prometheus-part.ts';
import { countNotifications, NotificationLog, toPageReceivers } from './receivers-part.ts';
import { StackServers } from './stack-servers.ts';
import { StatusReader } from './status-reader.ts';
import { readTimeline } from './timeline-part.ts';

/** The stack that a page is of. */
export interface WatchedStack {
  readonly engine: Engine;
  readonly stack: string;
  /** The stack file, as it is shown; undefined for a stack that is named by -p. */
  readonly file: string | undefined;
  /** Its config when the page was opened, used until it is rendered. */
  readonly config: StackConfig;
  /** Renders it as it is now; rejects with an InputError while it is invalid. */
  render(): Promise<Rendering>;
  /** What to try, for this stack: commands name it with -p. */
  toHint(tryThis: string): string;
  readonly mayChange: boolean;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** A poll of the engine that takes longer means that it does not answer. */
const lateMs = 5_000;

/** Samples a running stack, part by part; a part that cannot be read stays as it was, and its state in the header says so. */
export class StackSampler {
  readonly poller: Poller;
  readonly #watched: WatchedStack;
  readonly #lists = Object.fromEntries(listNames.map((name) => [name, new ItemList()])) as {
    readonly [Name in ListName]: ItemList<Name>;
  };
  readonly #edges = new Edges();
  readonly #silent = new Map<string, PageProblem>();
  readonly #servers: StackServers;
  readonly #status: StatusReader;
  #notifications = new NotificationLog();
  #engine: EngineState;
  #containers: ReadonlyMap<string, ContainerSummary> | undefined;
  #containersText = '';
  #groups: ReadonlyMap<string, GroupPart> = new Map();
  #targets: readonly TargetPart[] = [];
  #rules: readonly RulePart[] = [];
  #running: readonly RunningAlert[] = [];
  #answers: AlertmanagerAnswers | undefined;
  #routing: Routing | undefined;
  #tree: RouteTree | undefined;
  #healthText = '';
  #countsText = '';
  #readCounts = '-';
  #revision: string | undefined;
  /** Whether the secrets of the running stack are known: nothing of it is shown before. */
  #hasSecrets = false;

  constructor(watched: WatchedStack) {
    this.#watched = watched;
    const { clock, engine, signal } = watched;
    this.#servers = new StackServers(engine, signal);
    this.#status = new StatusReader(watched);
    this.#engine = { isReachable: true, since: clock.now() };
    this.poller = new Poller(this.#makePolls(), { now: () => clock.now(), signal });
  }

  #makePolls(): readonly Poll[] {
    const { clock, engine, signal } = this.#watched;
    const now = (): number => clock.now();
    const ofService = (
      service: string,
      poll: { name: string; everyMs: number; edges?: readonly EdgeId[] },
      run: (servers: Servers) => Promise<void>,
    ): Poll => ({
      ...poll,
      run: async () => {
        if (!this.#services.includes(service)) return;
        await run(await this.servers());
        this.#silent.delete(service);
      },
      onFailure: (error) => {
        this.#edges.forget(poll.edges ?? []);
        if (!(error instanceof NoAnswerError) || error.isDown) this.#silent.delete(service);
        else this.#silent.set(service, { state: 'wrong', message: error.why, tryThis: error.tryThis });
      },
    });
    return [
      {
        name: 'containers',
        everyMs: 1_000,
        run: () => this.#pollContainers(),
        onFailure: (error) => this.#engineAway(error),
      },
      ofService('pushgateway', { name: 'groups', everyMs: 1_000, edges: ['sources>pushgateway'] }, async (servers) => {
        const { groups, pushes, refused } = await readGateway(servers, this.#lists.groups.items);
        this.#groups = new Map(groups.map((group) => [group.item.id, group]));
        this.#lists.groups.replace(groups.map(({ item }) => item));
        this.#edges.count('sources>pushgateway', { value: pushes, failed: refused }, now());
      }),
      ofService(
        'prometheus',
        {
          name: 'rates',
          everyMs: 1_000,
          edges: ['pushgateway>prometheus', 'targets>prometheus', 'prometheus>rules', 'rules>alertmanager'],
        },
        async (servers) => {
          const counts = await readPrometheus(servers, this.#windowSeconds());
          this.#edges.set('pushgateway>prometheus', counts.gatewaySamples);
          this.#edges.set('targets>prometheus', counts.targetSamples);
          this.#edges.count('prometheus>rules', { value: counts.evaluations, failed: counts.failedEvaluations }, now());
          this.#edges.count('rules>alertmanager', { value: counts.alertsSent, failed: counts.alertsFailed }, now());
        },
      ),
      ofService('prometheus', { name: 'targets', everyMs: 1_000 }, async (servers) => {
        this.#targets = await readTargets(servers);
        this.#lists.targets.replace(this.#targets.map(({ item }) => item));
        this.#noticeHealth();
      }),
      ofService('prometheus', { name: 'rules', everyMs: 1_000 }, async (servers) => {
        if (this.config.prometheus.mode !== 'server') return;
        const { rules, alerts } = await readRules(servers);
        this.#rules = rules;
        this.#running = alerts;
        this.#lists.rules.replace(rules.map(({ item }) => item));
        this.#noticeHealth();
      }),
      ofService(
        'alertmanager',
        { name: 'alerts', everyMs: 1_000, edges: ['alertmanager>receivers'] },
        async (servers) => {
          this.#answers = await readAlertmanager(servers);
          const { sent, failed } = countNotifications(this.#answers.metrics);
          this.#edges.count('alertmanager>receivers', { value: sent, failed }, now());
          this.#countsText = `${sent} ${failed}`;
          if (this.#countsText !== this.#readCounts) this.poller.hurry('notifications');
        },
      ),
      ofService('alertmanager', { name: 'routes', everyMs: 5_000 }, async (servers) => {
        const routing = await readLiveRouting(servers);
        if (routing === undefined) {
          throw new StackError({ doing: 'reading the routes', why: 'alertmanager: its config is not YAML' });
        }
        if (this.#tree === undefined || JSON.stringify(routing) !== JSON.stringify(this.#routing)) {
          this.#tree = new RouteTree(routing);
        }
        this.#routing = routing;
      }),
      ofService('alertmanager', { name: 'notifications', everyMs: 30_000 }, async (servers) => {
        const counts = this.#countsText;
        await this.#notifications.read(servers, engine, this.#containers?.get('sink')?.id, signal);
        this.#readCounts = counts;
      }),
      { name: 'history', everyMs: 2_000, run: () => this.#pollHistory() },
      { name: 'status', everyMs: 10_000, run: () => this.#status.read() },
    ];
  }

  /** The connections to the servers. */
  servers(): Promise<Servers> {
    return this.#servers.open(this.config);
  }

  get config(): StackConfig {
    return this.#status.config;
  }

  group(id: string): GroupPart | undefined {
    return this.#groups.get(id);
  }

  target(id: string): TargetPart | undefined {
    return this.#targets.find(({ item }) => item.id === id);
  }

  rule(id: string): RulePart | undefined {
    return this.#rules.find(({ item }) => item.id === id);
  }

  /** Shows a check of the pipeline. */
  setVerify(verify: PageVerify): void {
    const hinted = <T extends { readonly tryThis?: string | undefined }>(given: T): T => {
      return given.tryThis === undefined ? given : { ...given, tryThis: this.#watched.toHint(given.tryThis) };
    };
    this.#lists.verify.replace([{ ...hinted(verify), hops: verify.hops.map(hinted) }]);
  }

  /** Nobody watches from now on: rates over the pause would be wrong. */
  pause(): void {
    this.#edges.forget();
  }

  /** What is known now, and the past of the rates; `isNew` adds it to the past. */
  snapshot({ isNew }: { readonly isNew: boolean }): Snapshot {
    const { clock } = this.#watched;
    const at = clock.now();
    if (isNew) this.#edges.record(at);
    const engine = this.#engineState(at);
    const parts = knownParts({
      poller: this.poller,
      hasSecrets: this.#hasSecrets,
      isEngineReachable: engine.isReachable,
      undrifted: this.#status.isInvalid ? 'stack.yml is invalid' : undefined,
    });
    this.#compose(new Date(at), engine, parts);
    const header = this.#header(at, engine, parts);
    const lists = Object.fromEntries(
      listNames.map((name) => [name, this.#hasSecrets || name === 'nodes' ? this.#lists[name].items : {}] as const),
    );
    return { state: { header, ...lists } as PageState, history: this.#edges.history };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#servers[Symbol.asyncDispose]();
  }

  get #services(): readonly string[] {
    return enabledServices(this.config).map(({ name }) => name);
  }

  /** The time over which Prometheus averages samples: each target has been scraped in it. */
  #windowSeconds(): number {
    return Math.max(60, (2 * (parseDuration(this.config.prometheus.scrape_interval) ?? 0)) / 1_000);
  }

  async #pollContainers(): Promise<void> {
    const { clock, engine, stack } = this.#watched;
    const containers = servicesAmong(stack, await engine.listContainers({ [stackLabel]: stack }));
    if (!this.#engine.isReachable) this.#engine = { isReachable: true, since: clock.now() };
    const text = JSON.stringify([...containers].map(([name, { id, state }]) => [name, id, state]));
    const { id, state } = this.#containers?.get('alertmanager') ?? {};
    this.#containers = containers;
    if (text === this.#containersText) return;
    await this.#servers.retire();
    await this.#learnSecrets(containers);
    this.#containersText = text;
    const now = containers.get('alertmanager');
    if (id !== undefined && (id !== now?.id || state !== now.state)) this.#notifications = new NotificationLog();
    for (const name of partNames) this.poller.hurry(name);
  }

  #engineAway({ why, tryThis }: StackError): void {
    const since = this.#engine.isReachable ? this.#watched.clock.now() : this.#engine.since;
    this.#engine = { isReachable: false, since, error: why, tryThis };
    this.#containers = undefined;
    this.#containersText = '';
  }

  async #pollHistory(): Promise<void> {
    const { engine, stack } = this.#watched;
    const found = await findStack(engine, stack);
    const revision = lastConfirmed(found.history)?.revision;
    if (revision !== this.#revision) {
      await this.#learnSecrets(found.containers);
      this.poller.hurry('status');
    }
    this.#revision = revision;
    this.#lists.entries.replace(await readTimeline(found));
  }

  /** Reads the secrets of all revisions, so that nothing shows them. */
  async #learnSecrets(containers: ReadonlyMap<string, ContainerSummary>): Promise<void> {
    const { engine, stack } = this.#watched;
    const find = async (service: string): Promise<string | undefined> => containers.get(service)?.id;
    await readSecrets({ engine, services: [...containers.keys()], find }, stack);
    for (const name of listNames) this.#lists[name].redact();
    this.#hasSecrets = true;
  }

  /** The status follows targets and rules that have become well or wrong. */
  #noticeHealth(): void {
    const items = [...this.#targets, ...this.#rules].map(({ item }) => item);
    const text = items
      .flatMap(({ id, state }) => (state === 'wrong' || state === 'unknown' ? [`${id} ${state}`] : []))
      .join();
    if (text !== this.#healthText) this.poller.hurry('status');
    this.#healthText = text;
  }

  /** Makes what follows from several polls: alerts with their routes, receivers, nodes and edges. */
  #compose(at: Date, { isReachable }: EngineState, parts: PageHeader['parts']): void {
    const alerts = toPageAlerts(this.#running, this.#answers ?? { alerts: [], silences: [] }, this.#tree, at);
    this.#lists.alerts.replace(alerts);
    this.#lists.silences.replace(toPageSilences(this.#answers?.silences ?? []));
    this.#lists.routes.replace(this.#tree?.items(at, alertsByRoute(alerts)) ?? []);
    if (this.#routing !== undefined && this.#answers !== undefined) {
      this.#lists.receivers.replace(toPageReceivers(this.#routing, this.#answers.metrics, this.#notifications, at));
    }
    const { groups, targets, rules, receivers } = this.#lists;
    const isShown = this.#hasSecrets;
    const nodes = toNodes({
      ...{ groups: groups.items, targets: targets.items, rules: rules.items, receivers: receivers.items, parts },
      services: this.#services,
      containers: isShown && isReachable ? this.#containers : undefined,
      status: isShown ? this.#status.status : undefined,
      silent: isShown && isReachable ? this.#silent : new Map(),
    });
    this.#lists.nodes.replace(nodes.map((node) => ({ ...node, problems: node.problems.map(this.#hinted) })));
    this.#lists.edges.replace(this.#edges.items(new Set(nodes.map(({ id }) => id))));
  }

  #header(at: number, engine: EngineState, parts: PageHeader['parts']): PageHeader {
    const { stack, mayChange, file } = this.#watched;
    const { status, mistakes } = this.#status;
    const drawn = new Set(Object.keys(this.#lists.nodes.items));
    const others = (status?.problems ?? []).filter(({ service }) => !drawn.has(service));
    return redactIn({
      ...{ stack, at, revision: this.#revision, mayChange, file, engine, parts },
      problems: [...mistakes, ...others.map(toPageProblem)].map(this.#hinted),
      drift: (status?.drift ?? []).map(toPageProblem).map(this.#hinted),
    });
  }

  #engineState(at: number): EngineState {
    const { runningMs = 0 } = this.poller.look('containers');
    if (!this.#engine.isReachable || runningMs < lateMs) return this.#engine;
    const error = `it has not answered for ${Math.round(runningMs / 1_000)} s`;
    return { isReachable: false, since: at - runningMs, error, tryThis: 'promstack doctor' };
  }

  readonly #hinted = (problem: PageProblem): PageProblem =>
    problem.tryThis === undefined ? problem : { ...problem, tryThis: this.#watched.toHint(problem.tryThis) };
}

function toPageProblem({ tone, service, message, tryThis }: StatusProblem): PageProblem {
  return { state: tone, message: `${service}: ${message}`, tryThis };
}
