import type { Section } from './dashboard.ts';
import { colour, redFrom, say } from './judgement.ts';
import { stat } from './panels.ts';

/** Age in seconds from which a source counts as silent, as the variable of the page. */
const silentAfter = '$silent_after';

/** Eight numbers in the order of the data's way; each red one says at which stage to look. */
export const pipelineLights: Section = {
  title: 'Is it well? Read from left to right: the first red light is where to look',
  rows: [
    {
      height: 4,
      panels: [
        stat({
          title: 'Silent sources',
          description:
            'Pushed groups whose last push is older than the time chosen above. Red: a job that should push does not; the bars below name it.',
          width: 3,
          unit: 'none',
          thresholds: redFrom(1),
          noValue: 'nothing pushed',
          queries: [
            {
              expr: `count(time() - push_time_seconds > ${silentAfter}) or 0 * count(push_time_seconds)`,
              legend: 'silent',
            },
          ],
        }),
        stat({
          title: 'Rejected pushes',
          description:
            'Pushes the Pushgateway answered with an error in the last 15 minutes. Red: a source sends what cannot be read; its data is lost.',
          width: 3,
          unit: 'none',
          decimals: 0,
          thresholds: redFrom(0.5),
          queries: [
            {
              expr: 'sum(increase(pushgateway_http_requests_total{handler="push", code=~"[45].."}[15m])) or 0 * sum(pushgateway_build_info)',
              legend: 'rejected',
            },
          ],
        }),
        stat({
          title: 'Targets down',
          description:
            'Targets Prometheus cannot scrape. Red: what they measure is not known, and alerts on it cannot fire.',
          width: 3,
          unit: 'none',
          thresholds: redFrom(1),
          queries: [{ expr: 'count(up == 0) or 0 * count(up)', legend: 'down' }],
        }),
        stat({
          title: 'Failed rules',
          description:
            'Rule evaluations that failed in the last 15 minutes. Red: an alert that should fire may stay silent; the log of Prometheus has the reason.',
          width: 3,
          unit: 'none',
          decimals: 0,
          thresholds: redFrom(0.5),
          queries: [{ expr: 'sum(increase(prometheus_rule_evaluation_failures_total[15m]))', legend: 'failed' }],
        }),
        stat({
          title: 'Alerts firing',
          description:
            'Alerts that fire now, whatever their severity. Orange asks to look: the table at the foot of the page names them.',
          width: 3,
          unit: 'none',
          thresholds: [
            { value: null, color: colour.well },
            { value: 1, color: colour.look },
          ],
          queries: [{ expr: 'count(ALERTS{alertstate="firing"}) or vector(0)', legend: 'firing' }],
        }),
        stat({
          title: 'Undelivered',
          description:
            'Notifications no receiver took in the last 15 minutes, and alerts Prometheus could not hand to Alertmanager. Red: somebody was not told.',
          width: 3,
          unit: 'none',
          decimals: 0,
          thresholds: redFrom(0.5),
          queries: [
            {
              expr: '(sum(increase(alertmanager_notifications_failed_total[15m])) or vector(0)) + sum(increase(prometheus_notifications_dropped_total[15m]))',
              legend: 'lost',
            },
          ],
        }),
        stat({
          title: 'Refused reloads',
          description:
            'Servers whose last reload was refused. Red: they run an older config than the files say; run promstack reload to see why.',
          width: 3,
          unit: 'none',
          thresholds: redFrom(1),
          mappings: [say(0, 'none', colour.well)],
          queries: [
            {
              expr: 'count(prometheus_config_last_reload_successful == 0 or alertmanager_config_last_reload_successful == 0) or 0 * count(prometheus_config_last_reload_successful)',
              legend: 'refused',
            },
          ],
        }),
        stat({
          title: 'Revision',
          description:
            'The revision of the stack that Prometheus runs. Compare with promstack history; changes are marked in blue in every graph.',
          width: 3,
          unit: 'none',
          shows: 'name',
          quiet: true,
          thresholds: [{ value: null, color: colour.calm }],
          queries: [{ expr: 'promstack_revision_info', legend: '{{revision}}' }],
        }),
      ],
    },
  ],
};
