import { type DashboardPlan, labelVariable } from './dashboard.ts';
import { graph, stat } from './panels.ts';
import { colour, orangeFrom, redFrom } from './thresholds.ts';

const probes = '{job="blackbox", instance=~"$instance"}';

/** Success, duration and certificates of the targets of blackbox_exporter. */
export const blackbox: DashboardPlan = {
  uid: 'promstack-blackbox',
  title: 'Probes',
  description: 'Success, duration and certificates of the targets of blackbox_exporter.',
  variables: [
    labelVariable({
      name: 'instance',
      label: 'Target',
      description: 'Targets to show',
      metric: 'probe_success',
      from: 'instance',
    }),
  ],
  rows: [
    {
      heading: 'Overview',
      height: 4,
      panels: [
        stat(
          'Targets',
          'Selected targets that are probed.',
          { targets: `count(probe_success${probes})` },
          { quiet: true, noValue: 'No probes', links: [{ panel: 'Success' }] },
        ),
        stat(
          'Failing',
          'Selected targets whose last probe failed.',
          { failing: `count(probe_success${probes} == 0) or 0 * count(probe_success${probes})` },
          { thresholds: redFrom(1), noValue: 'No probes', links: [{ alert: 'ProbeFailed' }] },
        ),
        stat(
          'Slowest',
          'Duration of the slowest probe. Orange from 3 seconds.',
          { slowest: `max(probe_duration_seconds${probes})` },
          { unit: 's', thresholds: orangeFrom(3), noValue: 'No probes', links: [{ panel: 'Duration' }] },
        ),
        stat(
          'Certificate',
          'Time until the first certificate expires. Orange below 14 days, red below 3.',
          { expires: `min(probe_ssl_earliest_cert_expiry${probes} - time())` },
          {
            unit: 's',
            thresholds: [
              { value: null, color: colour.critical },
              { value: 3 * 86_400, color: colour.warning },
              { value: 14 * 86_400, color: colour.ok },
            ],
            noValue: 'No TLS',
            links: [{ panel: 'Time until the certificate expires' }],
          },
        ),
      ],
    },
    {
      heading: 'Targets',
      height: 9,
      panels: [
        graph(
          'Success',
          'Share of successful probes.',
          { '{{instance}}': `avg_over_time(probe_success${probes}[$__rate_interval])` },
          { unit: 'percentunit', softMax: 1 },
        ),
        graph(
          'Duration',
          'How long each probe took.',
          { '{{instance}}': `probe_duration_seconds${probes}` },
          { unit: 's' },
        ),
      ],
    },
    {
      height: 9,
      panels: [
        graph(
          'Duration by phase',
          'Mean over the HTTP targets: resolving the name, connecting, TLS, waiting for the server, the transfer.',
          { '{{phase}}': `avg by (phase) (probe_http_duration_seconds${probes})` },
          { unit: 's', stacked: true },
        ),
        graph(
          'Time until the certificate expires',
          'Of the certificate of each TLS target that expires first.',
          { '{{instance}}': `probe_ssl_earliest_cert_expiry${probes} - time()` },
          { unit: 's', noValue: 'No TLS' },
        ),
      ],
    },
  ],
};
