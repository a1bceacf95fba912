/**
 * The images of services for which stack.yml names none. Tests, golden files, the README and the example stack.yml take them from
 * here. `PROMSTACK_TEST_IMAGES` replaces them for a run of the tests (see scripts/dev/test-images.ts).
 */
export const defaultImages = {
  prometheus: 'prom/prometheus:v3.13.2',
  alertmanager: 'prom/alertmanager:v0.34.0',
  pushgateway: 'prom/pushgateway:v1.11.3',
  grafana: 'grafana/grafana:12.4.5',
} as const satisfies Readonly<Record<string, string>>;

/** The versions that promstack was tried with, oldest first; it is meant to work with those between them too. */
export const triedVersions: Readonly<Record<keyof typeof defaultImages, readonly string[]>> = {
  prometheus: ['3.5.3', '3.13.2', '3.14.0'],
  alertmanager: ['0.33.1', '0.34.0'],
  pushgateway: ['1.11.2', '1.11.3'],
  grafana: ['12.4.0'],
};
