/**
 * The images of services for which stack.yml names none. Tests, golden files, the README and the example stack.yml take them from
 * here. `PROMSTACK_TEST_IMAGES` replaces them for a run of the tests (see scripts/dev/test-images.ts).
 */
export const defaultImages = {
  prometheus: 'prom/prometheus:v3.13.2',
  alertmanager: 'prom/alertmanager:v0.34.0',
  pushgateway: 'prom/pushgateway:v1.11.3',
  grafana: 'grafana/grafana:12.4.5',
  victoriametrics: 'victoriametrics/victoria-metrics:v1.145.0',
  node: 'prom/node-exporter:v1.11.1',
  process: 'ncabatoff/process-exporter:0.8.7',
  blackbox: 'prom/blackbox-exporter:v0.28.0',
  snmp: 'prom/snmp-exporter:v0.30.1',
  postgres: 'prometheuscommunity/postgres-exporter:v0.19.1',
  redis: 'oliver006/redis_exporter:v1.86.0',
  mysqld: 'prom/mysqld-exporter:v0.19.0',
  nginx: 'nginx/nginx-prometheus-exporter:1.5.1',
  apache: 'lusotycoon/apache-exporter:v1.0.11',
  statsd: 'prom/statsd-exporter:v0.31.0',
} as const satisfies Readonly<Record<string, string>>;
