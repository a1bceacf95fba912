import { explainFailure, readNotifyFailure } from '../../../../stack/alertmanager/notify-failures.ts';
import { parseRoute, type Route, receiversFor } from '../../../../stack/alertmanager/routing-tree.ts';
import { canaryAlert, canaryLabels, receiverOfCanary } from '../../../../stack/canary.ts';
import { globalSettings } from '../../../../stack/prometheus/native-sections.ts';
import { samplesOf } from '../../../../stack/values/metrics-page.ts';
import { AlertmanagerClient, readRouting } from '../../../servers/alertmanager.ts';
import { durationText } from '../../../util/duration-text.ts';
import type { Cause, PipelineCheck, Stage } from '../pipeline-check.ts';

/** Runs before the push: only the sink may be notified, so that production stacks can be checked. */
export const route: Stage = {
  name: 'route',
  claim: 'keeps the canary from your receivers',
  isPresent: ({ servers }) => servers.config.alertmanager.enabled,
  probe: async ({ servers, nonce, renderedRouting }) => {
    const { config } = servers;
    const { file, receivers: all, isLive } = await readRouting(servers, renderedRouting);
    const root = parseRoute(file['route']);
    const labels = { ...globalSettings(config).external_labels, ...canaryLabels(nonce) };
    const notifying = all.filter(({ integrations }) => integrations.length > 0).map(({ name }) => name);
    const notified = (root === undefined ? [] : receiversFor(root, labels)).filter(
      (name) => name !== receiverOfCanary(config) && notifying.includes(name),
    );
    if (notified.length === 0) return { kind: 'passed', detail: config.sink.enabled ? 'only the sink' : undefined };
    return {
      kind: 'broken',
      why: `Alertmanager would send the canary to ${notified.join(', ')}, so nothing was pushed`,
      tryThis: isLive
        ? 'promstack up adds a route for the canary, unless templates/alertmanager/alertmanager.yml lacks !value alertmanager.route'
        : 'write "route: !value alertmanager.route" in templates/alertmanager/alertmanager.yml',
    };
  },
};

/** How long a failed notification counts as current. */
const recentMs = 15 * 60_000;

/**
 * The canary does not reach the user's receivers. So this stage checks whether any route leads to them, and whether their
 * last notifications of real alerts failed.
 */
export const receivers: Stage = {
  name: 'routes',
  claim: 'lead to working receivers',
  isPresent: ({ servers }) => servers.config.alertmanager.enabled,
  probe: async (check) => {
    const { file, receivers: all } = await readRouting(check.servers, check.renderedRouting);
    const root = parseRoute(file['route']);
    const reached = new Set(root === undefined ? [] : namesIn(root));
    const notifying = all.filter(({ integrations }) => integrations.length > 0).map(({ name }) => name);
    const userReceivers = notifying.filter((name) => name !== 'sink');
    if (userReceivers.length > 0 && !notifying.some((name) => reached.has(name))) {
      return {
        kind: 'broken',
        why: `no route leads to a receiver with an integration: ${userReceivers.join(', ')} is never notified`,
        tryThis: `use it in alertmanager.route${canTestAlerts(check) ? '; `promstack alert test --label severity=critical` shows the route of an alert' : ''}`,
      };
    }
    const failures = await lastFailures(check);
    if (failures !== undefined) return { kind: 'broken', ...failures };
    return { kind: 'passed', detail: userReceivers.length > 0 ? undefined : 'no receivers are configured' };
  },
};

/** The receivers of all routes except the canary's. */
function namesIn({ matchers, receiver, routes }: Route): readonly string[] {
  if (matchers.some(({ name, value }) => name === 'alertname' && value === canaryAlert)) return [];
  return [receiver, ...routes.flatMap(namesIn)];
}

/** The last failed notification of each integration under the running config, except the canary's. */
async function lastFailures(check: PipelineCheck): Promise<Cause | undefined> {
  const { servers, startedAt } = check;
  const page = await new AlertmanagerClient(servers).metrics();
  const loadedAt = samplesOf(page, 'alertmanager_config_last_reload_success_timestamp_seconds')[0]?.value ?? 0;
  const since = new Date(Math.max(startedAt.getTime() - recentMs, loadedAt * 1000));
  const failures = (await servers.lines('alertmanager', since)).flatMap(({ time, text }) => {
    const failure = readNotifyFailure(text);
    const isCanary = failure?.receiver === receiverOfCanary(servers.config);
    return failure === undefined || isCanary ? [] : [{ failure, at: Date.parse(time) }];
  });
  const lastOfEach = new Map(
    failures.map((entry) => [`${entry.failure.receiver} ${entry.failure.integration}`, entry]),
  );
  const causes = [...lastOfEach.values()].map(({ failure, at }) => {
    const { why, tryThis } = explainFailure(failure);
    return { why: `${why} (${durationText(Math.max(0, startedAt.getTime() - at))} ago)`, tryThis };
  });
  if (causes.length === 0) return undefined;
  const hints = [...new Set(causes.map(({ tryThis }) => tryThis))];
  return {
    why: causes.map(({ why }) => why).join('\n'),
    tryThis: `${hints.join('; ')}; then test it with \`promstack ${canTestAlerts(check) ? 'alert test --send' : 'verify'}\``,
  };
}

/** `alert` needs one engine. */
function canTestAlerts({ servers }: PipelineCheck): boolean {
  return servers.config.target === 'engine';
}
