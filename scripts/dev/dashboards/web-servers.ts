import type { DashboardPlan } from './dashboard.ts';
import { instances, of, rates, reachable } from './instances.ts';
import { graph, stat } from './panels.ts';
import { colour, orangeFrom, orangeThenRed, redBelow, redFrom } from './thresholds.ts';

const ng = of('nginx');

/** Connections and requests of nginx servers. */
export const nginx: DashboardPlan = {
  uid: 'promstack-nginx',
  title: 'nginx',
  description: 'Connections and requests of nginx servers.',
  variables: [instances('nginx_up')],
  rows: [
    {
      heading: 'Overview',
      height: 4,
      panels: [
        reachable(`nginx_up${ng}`, 'NginxDown'),
        stat(
          'Requests',
          'Requests per second, of all selected servers.',
          { requests: `sum(rate(nginx_http_requests_total${ng}[$__rate_interval]))` },
          { unit: 'suffix:/s', quiet: true, links: [{ panel: 'Requests by server' }] },
        ),
        stat(
          'Connections',
          'Open connections, those that wait for a next request included.',
          { connections: `sum(nginx_connections_active${ng})` },
          { decimals: 0, quiet: true, links: [{ panel: 'Connections by state' }] },
        ),
        stat(
          'Dropped',
          'Connections of the last hour that nginx closed without a response, because a limit was reached.',
          {
            dropped: `sum(increase(nginx_connections_accepted${ng}[1h])) - sum(increase(nginx_connections_handled${ng}[1h]))`,
          },
          { decimals: 0, thresholds: redFrom(0.5), links: [{ alert: 'NginxConnectionsDropped' }] },
        ),
      ],
    },
    {
      heading: 'Load',
      height: 9,
      panels: [
        rates('Requests by server', 'Requests per second of each server.', {
          '{{instance}}': `nginx_http_requests_total${ng}`,
        }),
        graph(
          'Connections by state',
          'Many writing: responses are slow. Many waiting: clients keep connections open.',
          {
            reading: `sum(nginx_connections_reading${ng})`,
            writing: `sum(nginx_connections_writing${ng})`,
            waiting: `sum(nginx_connections_waiting${ng})`,
          },
          { stacked: true },
        ),
        rates('New connections', 'Connections per second that were accepted.', {
          '{{instance}}': `nginx_connections_accepted${ng}`,
        }),
      ],
    },
  ],
};

const ap = of('apache');
const busyWorkers = `sum by (instance) (apache_scoreboard${of('apache', ', state!~"idle|open_slot"')}) / sum by (instance) (apache_scoreboard${ap})`;

/** Requests, workers and traffic of Apache servers. */
export const apache: DashboardPlan = {
  uid: 'promstack-apache',
  title: 'Apache',
  description: 'Requests, workers and traffic of Apache servers.',
  variables: [instances('apache_up')],
  rows: [
    {
      heading: 'Overview',
      height: 4,
      panels: [
        reachable(`apache_up${ap}`, 'ApacheDown'),
        stat(
          'Busy',
          'Busy workers, of those that MaxRequestWorkers allows, on the server with the most.',
          { busy: `max(${busyWorkers})` },
          {
            unit: 'percentunit',
            decimals: 0,
            thresholds: orangeThenRed(0.85, 0.95),
            links: [{ alert: 'ApacheWorkersBusy' }],
          },
        ),
        stat(
          'Requests',
          'Requests per second, of all selected servers.',
          { requests: `sum(rate(apache_accesses_total${ap}[$__rate_interval]))` },
          { unit: 'suffix:/s', quiet: true, links: [{ panel: 'Requests by server' }] },
        ),
        stat(
          'Uptime',
          'Time since the last start, of the server that started last. Orange below 10 minutes.',
          { uptime: `min(apache_uptime_seconds_total${ap})` },
          {
            unit: 's',
            thresholds: [
              { value: null, color: colour.warning },
              { value: 600, color: colour.ok },
            ],
            links: [{ alert: 'ApacheRestarted' }],
          },
        ),
      ],
    },
    {
      heading: 'Load',
      height: 9,
      panels: [
        rates('Requests by server', 'Requests per second of each server.', {
          '{{instance}}': `apache_accesses_total${ap}`,
        }),
        graph(
          'Duration',
          'Mean duration of requests.',
          {
            '{{instance}}': `rate(apache_duration_ms_total${ap}[$__rate_interval]) / (rate(apache_accesses_total[$__rate_interval]) > 0)`,
          },
          { unit: 'ms', softMax: 1, noValue: 'No requests' },
        ),
        graph(
          'Sent',
          'Bytes per second that the servers sent.',
          { '{{instance}}': `rate(apache_sent_kilobytes_total${ap}[$__rate_interval]) * 1024` },
          { unit: 'Bps', softMax: 1 },
        ),
      ],
    },
    {
      height: 9,
      panels: [
        graph(
          'Workers by state',
          'What the workers do; without free slots and idle workers.',
          { '{{state}}': `sum by (state) (apache_scoreboard${of('apache', ', state!~"idle|open_slot"')}) > 0` },
          { stacked: true },
        ),
        graph('Processes', 'Processes of the servers, and those that are ending.', {
          '{{state}}': `sum by (state) (apache_processes${ap})`,
        }),
      ],
    },
  ],
};

const ha = of('haproxy');
const errors = of('haproxy', ', code="5xx"');

/** Backends, connections and responses of HAProxy. */
export const haproxy: DashboardPlan = {
  uid: 'promstack-haproxy',
  title: 'HAProxy',
  description: 'Backends, connections and responses of HAProxy.',
  variables: [instances('haproxy_process_uptime_seconds')],
  rows: [
    {
      heading: 'Overview',
      height: 4,
      panels: [
        stat(
          'Backends up',
          'Share of the backends that have a server. Red below 100%.',
          { up: `avg(haproxy_backend_status${of('haproxy', ', state="UP"')})` },
          { unit: 'percentunit', decimals: 0, thresholds: redBelow(1), links: [{ alert: 'HaproxyBackendDown' }] },
        ),
        stat(
          'Servers down',
          'Servers whose checks fail.',
          { down: `sum(haproxy_server_status${of('haproxy', ', state="DOWN"')})` },
          { decimals: 0, thresholds: orangeFrom(1), noValue: 'No servers', links: [{ alert: 'HaproxyServerDown' }] },
        ),
        stat(
          'Connections',
          'Connections in use, of those that maxconn allows, on the process with the most.',
          { connections: `max(haproxy_process_current_connections${ha} / (haproxy_process_max_connections > 0))` },
          {
            unit: 'percentunit',
            decimals: 0,
            thresholds: orangeThenRed(0.85, 0.95),
            links: [{ alert: 'HaproxyConnectionsHigh' }],
          },
        ),
        stat(
          'Queue',
          'Requests that wait for a server.',
          { queue: `sum(haproxy_backend_current_queue${ha})` },
          { decimals: 0, thresholds: orangeFrom(1), links: [{ alert: 'HaproxyQueue' }] },
        ),
      ],
    },
    {
      heading: 'Backends',
      height: 9,
      panels: [
        rates('Requests by backend', 'Requests per second of each backend.', {
          '{{proxy}}': `haproxy_backend_http_requests_total${ha}`,
        }),
        rates(
          'Errors by backend',
          'Responses per second with a status of 500 to 599.',
          {
            '{{proxy}}': `haproxy_backend_http_responses_total${errors}`,
          },
          { isBad: true },
        ),
        graph(
          'Response time',
          'Mean of the last 1024 requests.',
          { '{{proxy}}': `haproxy_backend_response_time_average_seconds${ha}` },
          // It is 0 before the first request.
          { unit: 's', softMax: 0.1 },
        ),
      ],
    },
    {
      heading: 'Connections',
      height: 9,
      panels: [
        graph('Sessions by frontend', 'Open sessions of clients.', {
          '{{proxy}}': `haproxy_frontend_current_sessions${ha}`,
        }),
        rates(
          'Received by frontend',
          'Bytes per second from clients.',
          { '{{proxy}}': `haproxy_frontend_bytes_in_total${ha}` },
          { unit: 'Bps', softMax: 1 },
        ),
        rates(
          'Sent by frontend',
          'Bytes per second to clients.',
          { '{{proxy}}': `haproxy_frontend_bytes_out_total${ha}` },
          { unit: 'Bps', softMax: 1 },
        ),
      ],
    },
  ],
};
