import { accessOf } from '../../stack/access/access.ts';
import { parseMatchers } from '../../stack/alertmanager/matcher.ts';
import { closest } from '../../stack/values/closest.ts';
import { counted } from '../../stack/values/words.ts';
import type { Run } from '../apply/run.ts';
import { roleLabel, serviceLabel, stackLabel } from '../engine/labels.ts';
import { type LogOptions, readLogs, readSecrets, type ServiceLine } from '../inspect/logs.ts';
import { type Notification, readNotifications } from '../inspect/notifications.ts';
import { type StackStatus, takeStatus } from '../inspect/status.ts';
import type { Plan } from '../plan/plan.ts';
import { planStack } from '../plan/plan-stack.ts';
import type { Rendering } from '../render/rendering.ts';
import { AlertmanagerClient } from '../servers/alertmanager.ts';
import { openEdits } from '../servers/problems.ts';
import { PrometheusClient, type QueriedSample, type RunningAlert, type RunningRule } from '../servers/prometheus.ts';
import { pushgatewayOf } from '../servers/pushgateway/client.ts';
import { createPusher, type MetricsSource, pusherThrough } from '../servers/pushgateway/pusher.ts';
import { openServers } from '../servers/servers.ts';
import type { ServiceClient } from '../state/service-client.ts';
import { durationText } from '../util/duration-text.ts';
import { misuse } from '../util/misuse.ts';
import { redact } from '../util/redaction.ts';
import { InputError, StackError } from '../util/stack-error.ts';
import { userAtHost } from '../util/user.ts';
import type { StackFiles, StackInput } from './stack-source.ts';

/** How long to wait. */
export interface WaitOptions {
  /** By default 30 seconds. */
  readonly timeoutMs?: number | undefined;
}

/** A running stack. Every method rejects with a StackError when a server does not answer. */
export interface RunningStack extends AsyncDisposable {
  readonly name: string;
  /** The URL of each service that publishes a port, after a reload of those then: `urls.prometheus` is `http://127.0.0.1:34567`. */
  readonly urls: Readonly<Record<string, string>>;
  /** Pushes metrics, such as a registry of prom-client or text, to a group of the Pushgateway, which it replaces. */
  push(metrics: MetricsSource | string, group?: PushGroup): Promise<void>;
  /** The samples of an instant query. */
  query(promql: string): Promise<readonly QueriedSample[]>;
  /** Repeats an instant query until its samples are as wanted, and returns them; by default until there are some. */
  waitFor(
    promql: string,
    isWanted?: (samples: readonly QueriedSample[]) => boolean,
    options?: WaitOptions,
  ): Promise<readonly QueriedSample[]>;
  /** Waits until an alert is in a state in Prometheus, and returns its alerts; `inactive` has none. */
  waitForAlert(
    name: string,
    options?: WaitOptions & { readonly state?: 'pending' | 'firing' | 'inactive' | undefined },
  ): Promise<readonly RunningAlert[]>;
  /** The notifications that the sink has received, all or since a time, oldest first. */
  notifications(since?: Date): Promise<readonly Notification[]>;
  /** Waits until the sink is notified of an alert, and returns that notification. */
  waitForNotification(
    alertname: string,
    options?: WaitOptions & {
      /** By default `firing`. */
      readonly status?: 'firing' | 'resolved' | undefined;
      /** Earlier notifications do not count. */
      readonly since?: Date | undefined;
    },
  ): Promise<Notification>;
  /** Applies what has changed in its files, or these files and this config. */
  reload(changes?: {
    readonly config?: StackInput | undefined;
    readonly files?: StackFiles | undefined;
  }): Promise<Plan>;
  /** What `reload` would do; changes nothing. */
  plan(): Promise<Plan>;
  status(): Promise<StackStatus>;
  /** The log lines of a service, or of all, in order of time. */
  logs(service?: string, options?: LogOptions): Promise<readonly ServiceLine[]>;
  /** Silences the alerts that match, such as `alertname="DiskFull"`, and returns the ID of the silence. */
  silence(
    matchers: string,
    options?: { readonly durationMs?: number | undefined; readonly comment?: string | undefined },
  ): Promise<string>;
  /** Removes the stack; its data too if `startStack` has started it. */
  down(): Promise<void>;
}

export interface PushGroup {
  /** By default `test`. */
  readonly job?: string | undefined;
  readonly grouping?: Readonly<Record<string, string>> | undefined;
}

interface RunningOptions {
  readonly run: Run;
  readonly rendering: Rendering;
  /** Renders it again, as it is written now. */
  render(): Promise<Rendering>;
  /** What `reload` does. */
  reload(changes: Changes): Promise<Reloaded>;
  /** What `down` does. */
  remove(): Promise<void>;
  /** What disposing does. */
  close(): Promise<void>;
}

type Changes = NonNullable<Parameters<RunningStack['reload']>[0]>;

/** What a stack runs after a reload. */
export interface Reloaded {
  readonly rendering: Rendering;
  readonly plan: Plan;
}

const pauseMs = 100;
const longestSilenceMs = 100 * 365 * 86_400_000;

/** The handle of a stack that runs. */
export async function openRunning(options: RunningOptions): Promise<RunningStack> {
  const { run } = options;
  const { engine, signal, clock } = run;
  const { name } = options.rendering.config;
  let { rendering } = options;
  let servers = await openServers(engine, rendering.config, signal);
  const opened = [servers];
  const prometheus = () => new PrometheusClient(servers);
  const containers = () => engine.listContainers({ [stackLabel]: name, [roleLabel]: 'service' });
  const find = async (service: string): Promise<string | undefined> =>
    (await containers()).find(({ labels }) => labels[serviceLabel] === service)?.id;

  /** Repeats a look until it has a result; after the deadline rejects with what it has seen last. */
  const wait = async <T>(
    doing: string,
    { timeoutMs = 30_000 }: WaitOptions,
    look: () => Promise<{ readonly result: T } | { readonly because: string; readonly tryThis: string }>,
  ): Promise<T> => {
    const startedAt = clock.now();
    for (;;) {
      signal.throwIfAborted();
      const seen = await look();
      if ('result' in seen) return seen.result;
      // NaN ends it, too.
      if (!(clock.now() - startedAt < timeoutMs)) {
        const why = `not within ${durationText(timeoutMs)}: ${seen.because}`;
        throw new StackError({ doing, why, tryThis: seen.tryThis });
      }
      await clock.sleep(pauseMs, signal);
    }
  };

  const mustHave = async (service: string): Promise<string> => {
    const container = await find(service);
    if (container !== undefined) return container;
    const names = rendering.services.map(({ service: { name } }) => name).join(', ');
    const why = `the stack ${name} does not run ${service}`;
    throw new StackError({ doing: `finding ${service}`, why, tryThis: `enable it in the config; it runs ${names}` });
  };

  const notifications = async (since?: Date): Promise<readonly Notification[]> =>
    readNotifications(engine, await mustHave('sink'), { since, signal });

  const stack: RunningStack = {
    name,
    get urls() {
      return servers.urls();
    },
    push: async (metrics, { job = 'test', grouping } = {}) => {
      await mustHave('pushgateway');
      const group = { job, ...(grouping === undefined ? {} : { grouping }) };
      await using pusher =
        accessOf(servers.config, 'pushgateway') === undefined
          ? createPusher({ url: servers.urls()['pushgateway'] ?? '', ...group })
          : pusherThrough(() => pushgatewayOf(servers), group);
      await pusher.push(metrics, { signal });
    },
    query: (promql) => prometheus().query(promql),
    waitFor: (promql, isWanted = (samples) => samples.length > 0, waiting = {}) =>
      wait(`waiting for ${promql}`, waiting, async () => {
        const samples = await prometheus().query(promql);
        if (isWanted(samples)) return { result: samples };
        return { because: `it has ${shown(samples)}`, tryThis: 'look at what Prometheus scrapes: its page /targets' };
      }),
    waitForAlert: (name, { state = 'firing', ...waiting } = {}) =>
      wait(`waiting for the alert ${name} to be ${state}`, waiting, async () => {
        const rules = (await prometheus().rules('alert')).filter((rule) => rule.name === name);
        const alerts = rules.flatMap((rule) => rule.alerts);
        const wanted = alerts.filter((alert) => alert.state === state);
        if (rules.length > 0 && (state === 'inactive' ? alerts.length === 0 : wanted.length > 0))
          return { result: wanted };
        return rules.length === 0 ? unknownAlert(name, await prometheus().rules('alert')) : notYet(rules);
      }),
    notifications,
    waitForNotification: (alertname, { status = 'firing', since, ...waiting } = {}) =>
      wait(`waiting for the notification that ${alertname} is ${status}`, waiting, async () => {
        const all = await notifications(since);
        const isIt = (alert: Notification['alerts'][number]): boolean =>
          alert.labels['alertname'] === alertname && alert.status === status;
        const notification = all.find(({ alerts }) => alerts.some(isIt));
        if (notification !== undefined) return { result: notification };
        const because = `the sink has received ${counted(all.length, 'notification')}, none of them of it`;
        return { because, tryThis: 'waitForAlert shows whether it fires; the route must lead to the receiver sink' };
      }),
    reload: async (changes = {}) => {
      const reloaded = await options.reload(changes);
      rendering = reloaded.rendering;
      // Those from before may have requests under way.
      servers = await openServers(engine, rendering.config, signal);
      opened.push(servers);
      return reloaded.plan;
    },
    plan: async () => {
      const next = await options.render();
      const findEdits = (client: ServiceClient) =>
        openEdits({ ...run, config: next.config, client, rejected: new Set() });
      return (await planStack({ engine, rendering: next, recreate: false, findEdits })).plan;
    },
    status: async () => takeStatus({ ...run, rendering: await options.render() }),
    logs: async (service, logOptions = {}) => {
      const services = service === undefined ? rendering.services.map((each) => each.service.name) : [service];
      if (service !== undefined) await mustHave(service);
      const source = { engine, services, find, signal };
      await readSecrets(source, name);
      return (await readLogs(source, logOptions)).map((line) => ({ ...line, text: redact(line.text) }));
    },
    silence: async (text, { durationMs = 3_600_000, comment = 'by a test' } = {}) => {
      const matchers = parseMatchers(text);
      if (matchers === undefined) {
        const message = `${text} is not a list of matchers`;
        throw new InputError([misuse(message, 'write them as in a route: alertname="DiskFull", severity=~"a|b"')]);
      }
      if (!(durationMs > 0 && durationMs <= longestSilenceMs)) {
        throw new InputError([
          misuse(`durationMs: ${durationMs} is not a duration`, 'use milliseconds, up to 100 years'),
        ]);
      }
      const now = clock.now();
      const [startsAt, endsAt] = [now, now + durationMs].map((time) => new Date(time).toISOString()) as [
        string,
        string,
      ];
      return new AlertmanagerClient(servers).addSilence({
        matchers,
        startsAt,
        endsAt,
        createdBy: userAtHost(),
        comment,
      });
    },
    down: () => options.remove(),
    [Symbol.asyncDispose]: async () => {
      for (const each of opened) each.close();
      await options.close();
    },
  };
  return stack;
}

function shown(samples: readonly QueriedSample[]): string {
  if (samples.length === 0) return 'no samples';
  const first = samples.slice(0, 3).map(({ labels, value }) => `${value}${labelText(labels)}`);
  return `${first.join(', ')}${samples.length > 3 ? `, and ${samples.length - 3} more` : ''}`;
}

function labelText(labels: QueriedSample['labels']): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  return pairs.length === 0 ? '' : ` {${pairs.join(', ')}}`;
}

function unknownAlert(name: string, rules: readonly RunningRule[]): { because: string; tryThis: string } {
  const near = closest(
    name,
    rules.map((rule) => rule.name),
  );
  const because = 'Prometheus has no rule for an alert of that name';
  return { because, tryThis: near === undefined ? 'name its rule file in prometheus.rules' : `is ${near} meant?` };
}

function notYet(rules: readonly RunningRule[]): { because: string; tryThis: string } {
  const failed = rules.find(({ health }) => health === 'err');
  if (failed !== undefined)
    return { because: `its rule fails: ${failed.lastError}`, tryThis: 'correct its expression' };
  const states = new Set(rules.flatMap(({ alerts }) => alerts.map(({ state }) => state)));
  const because = `it is ${states.size === 0 ? 'inactive' : [...states].join(' and ')}`;
  return { because, tryThis: `query its expression: ${rules[0]?.query}` };
}
