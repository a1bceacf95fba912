import { formatMatcher, type Labels } from '../../stack/alertmanager/matcher.ts';
import { parseRoute, type Route, type TracedRoute, traceRoutes } from '../../stack/alertmanager/routing-tree.ts';
import { intervalsAt } from '../../stack/alertmanager/time-intervals.ts';
import { mutedBy } from '../inspect/alert-route.ts';
import { type ActiveAlert, AlertmanagerClient, type Routing, type Silence } from '../servers/alertmanager.ts';
import type { RunningAlert } from '../servers/prometheus.ts';
import type { Servers } from '../servers/servers.ts';
import { idOf } from './gateway-part.ts';
import type { PageAlert, PageMute, PageRoute, PageSilence } from './page-state.ts';

/** What Alertmanager said at once. */
export interface AlertmanagerAnswers {
  readonly alerts: readonly ActiveAlert[];
  readonly silences: readonly Silence[];
  /** Its metrics page. */
  readonly metrics: string;
}

export async function readAlertmanager(servers: Servers): Promise<AlertmanagerAnswers> {
  const client = new AlertmanagerClient(servers);
  const [alerts, silences, metrics] = await Promise.all([client.alerts(), client.silences(), client.metrics()]);
  return { alerts, silences, metrics };
}

/** The routes of an Alertmanager, and which of them an alert takes. */
export class RouteTree {
  readonly #root: Route | undefined;
  readonly #file: Routing['file'];
  /** By the text of the labels: a thousand alerts do not change from one second to the next. */
  readonly #traced = new Map<string, readonly { readonly id: string; readonly route: TracedRoute }[]>();

  constructor({ file }: Routing) {
    this.#file = file;
    this.#root = parseRoute(file['route']);
  }

  finalRoutes(labels: Labels): readonly { readonly id: string; readonly route: TracedRoute }[] {
    if (this.#root === undefined) return [];
    const key = JSON.stringify(labels);
    const known = this.#traced.get(key);
    if (known !== undefined) return known;
    if (this.#traced.size > mostTraced) this.#traced.clear();
    const all = withIds(traceRoutes(this.#root, labels)).filter(({ route }) => route.isFinal);
    this.#traced.set(key, all);
    return all;
  }

  /** All routes; `counts` are the numbers of alerts by route. */
  items(at: Date, counts: ReadonlyMap<string, number>): readonly PageRoute[] {
    if (this.#root === undefined) return [];
    const now = intervalsAt(this.#file, at);
    // No alert is traced: only the shape counts.
    return withIds(traceRoutes(this.#root, {})).map(({ id, parent, route }) => ({
      ...{ id, parent, matchers: route.matchers.map(formatMatcher), receiver: route.receiver },
      ...{ continues: route.continues, ...route.timing },
      mutedBy: mutedBy(route, now),
      alerts: counts.get(id) ?? 0,
    }));
  }

  intervalsAt(at: Date): readonly string[] {
    return intervalsAt(this.#file, at);
  }
}

const mostTraced = 10_000;

function withIds(
  route: TracedRoute,
  id = '0',
  parent?: string,
): readonly { readonly id: string; readonly parent: string | undefined; readonly route: TracedRoute }[] {
  return [{ id, parent, route }, ...route.routes.flatMap((child, at) => withIds(child, `${id}.${at}`, id))];
}

/** The alerts of Prometheus and Alertmanager as one list, with their routes and what mutes them. */
export function toPageAlerts(
  running: readonly RunningAlert[],
  { alerts, silences }: Pick<AlertmanagerAnswers, 'alerts' | 'silences'>,
  tree: RouteTree | undefined,
  at: Date,
): readonly PageAlert[] {
  const left = new Map(alerts.map((alert) => [keyOf(alert.labels), alert]));
  const byName = new Map<string, ActiveAlert[]>();
  for (const alert of alerts) {
    const name = alert.labels['alertname'] ?? '';
    const named = byName.get(name);
    if (named === undefined) byName.set(name, [alert]);
    else named.push(alert);
  }
  /** Alertmanager's, which may have external labels in addition. */
  const takeActive = (labels: Labels): ActiveAlert | undefined => {
    const exact = left.get(keyOf(labels));
    const found =
      exact ??
      byName.get(labels['alertname'] ?? '')?.find((alert) => {
        return (
          left.has(keyOf(alert.labels)) && Object.entries(labels).every(([name, value]) => alert.labels[name] === value)
        );
      });
    if (found !== undefined) left.delete(keyOf(found.labels));
    return found;
  };
  const silenceById = new Map(silences.map((silence) => [silence.id, silence]));
  const byFingerprint = new Map(alerts.map((alert) => [alert.fingerprint, alert]));
  const now = tree?.intervalsAt(at) ?? [];
  const toItem = (
    { labels, annotations, activeAt }: Pick<RunningAlert, 'labels' | 'annotations' | 'activeAt'>,
    activity: PageAlert['activity'],
    active: ActiveAlert | undefined,
  ): PageAlert => {
    const routes = tree?.finalRoutes(active?.labels ?? labels) ?? [];
    const mutes: readonly PageMute[] = [
      ...(active?.status.silencedBy ?? []).map(
        (id): PageMute => ({ kind: 'silence', id, text: silenceText(id, silenceById.get(id)) }),
      ),
      ...(active?.status.inhibitedBy ?? []).map((fingerprint): PageMute => {
        const by = byFingerprint.get(fingerprint)?.labels;
        return { kind: 'inhibition', text: `inhibited by ${by === undefined ? 'another alert' : describe(by)}` };
      }),
      ...routes.flatMap(({ route }): readonly PageMute[] => {
        const text = mutedBy(route, now);
        return text === undefined ? [] : [{ kind: 'time interval', text, receivers: [route.receiver] }];
      }),
    ];
    return {
      id: idOf(keyOf(labels)),
      name: labels['alertname'] ?? '',
      ...{ labels: active?.labels ?? labels, annotations, activity },
      since: activeAt === undefined ? undefined : Date.parse(activeAt),
      routes: routes.map(({ id }) => id),
      receivers: [...new Set(active?.receivers.map(({ name }) => name) ?? routes.map(({ route }) => route.receiver))],
      mutedBy: mutes,
    };
  };
  const known = running
    .filter(({ state }) => state === 'pending' || state === 'firing')
    .map((alert) => toItem(alert, alert.state === 'firing' ? 'firing' : 'pending', takeActive(alert.labels)));
  const others = [...left.values()].map((alert) =>
    toItem({ labels: alert.labels, annotations: alert.annotations ?? {}, activeAt: alert.startsAt }, 'active', alert),
  );
  return [...known, ...others];
}

const keyOf = (labels: Labels): string => JSON.stringify(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)));

function silenceText(id: string, silence: Silence | undefined): string {
  return silence === undefined ? `silenced by ${id}` : `silenced by ${silence.createdBy}: ${silence.comment}`;
}

function describe({ alertname = 'an alert', ...rest }: Labels): string {
  const labels = Object.entries(rest).map(([name, value]) => `${name}="${value}"`);
  return labels.length === 0 ? alertname : `${alertname} {${labels.join(', ')}}`;
}

/** How many alerts end at each route. */
export function alertsByRoute(alerts: readonly PageAlert[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const route of alerts.flatMap(({ routes }) => routes)) counts.set(route, (counts.get(route) ?? 0) + 1);
  return counts;
}

export function toPageSilences(silences: readonly Silence[]): readonly PageSilence[] {
  return silences.flatMap(({ id, status, matchers, startsAt, endsAt, createdBy, comment }): readonly PageSilence[] => {
    if (status.state === 'expired') return [];
    const [start, end] = [Date.parse(startsAt), Date.parse(endsAt)];
    const texts = matchers.map(formatMatcher);
    return [{ id, state: status.state, matchers: texts, startsAt: start, endsAt: end, by: createdBy, comment }];
  });
}
