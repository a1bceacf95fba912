import { explainFailure, readNotifyFailure } from '../../../../stack/alertmanager/notify-failures.ts';
import { parseRoute, type Route } from '../../../../stack/alertmanager/routing-tree.ts';
import { canaryAlert, receiverOfCanary } from '../../../../stack/canary.ts';
import { samplesOf } from '../../../../stack/values/metrics-page.ts';
import { readRouting } from '../../../servers/routing.ts';
import { durationText } from '../../../util/duration-text.ts';
import type { Stage } from '../pipeline-check.ts';

/** How long a failure counts as one of now. */
const recentMs = 15 * 60_000;

/**
 * The drill tells no person, so of the receivers people are told by it knows only what has happened to real alerts:
 * whether a route leads to them, and whether the last notifications to them failed.
 */
export const receivers: Stage = {
  name: 'routes',
  claim: 'lead to receivers that take what they get',
  isThere: ({ servers }) => servers.config.alertmanager.enabled,
  look: async ({ servers, startedAt, renderedRouting }) => {
    const { file, receivers: all } = await readRouting(servers, renderedRouting);
    const root = parseRoute(file['route']);
    const reached = new Set(root === undefined ? [] : namesIn(root));
    const telling = all.filter(({ integrations }) => integrations.length > 0);
    const own = telling.filter(({ name }) => name !== 'sink');
    if (own.length > 0 && !telling.some(({ name }) => reached.has(name))) {
      return {
        kind: 'broken',
        why: `no route leads to a receiver that tells anybody: ${own.map(({ name }) => name).join(', ')} is never reached`,
        tryThis:
          'name it in alertmanager.route; promstack alert test --label severity=critical shows the way of an alert',
      };
    }
    const failure = await lastFailure(servers, startedAt, receiverOfCanary(servers.config));
    if (failure !== undefined) return { kind: 'broken', ...failure };
    if (own.length > 0) return { kind: 'passed' };
    return { kind: 'passed', detail: 'no receiver of your own is set up yet' };
  },
};

/** The receivers of every route but the canary's. */
function namesIn(route: Route): readonly string[] {
  if (route.matchers.some(({ name, value }) => name === 'alertname' && value === canaryAlert)) return [];
  return [route.receiver, ...route.routes.flatMap(namesIn)];
}

/** The last notification to a receiver of a person that failed under the config in force. */
async function lastFailure(servers: Parameters<Stage['look']>[0]['servers'], now: Date, canarys: string) {
  const page = await servers.text('alertmanager', '/metrics');
  const loadedAt = samplesOf(page, 'alertmanager_config_last_reload_success_timestamp_seconds')[0]?.value ?? 0;
  const since = new Date(Math.max(now.getTime() - recentMs, loadedAt * 1000));
  const lines = await servers.lines('alertmanager', since);
  const failures = lines.flatMap(({ time, text }) => {
    const failure = readNotifyFailure(text);
    return failure === undefined || failure.receiver === canarys ? [] : [{ failure, at: Date.parse(time) }];
  });
  const last = failures.at(-1);
  if (last === undefined) return undefined;
  const { why, tryThis } = explainFailure(last.failure);
  const ago = durationText(Math.max(0, now.getTime() - last.at));
  return { why: `${why} (${ago} ago)`, tryThis: `${tryThis}; then promstack alert test --send tries it again` };
}
