/** Which names a server takes: Prometheus's own of old, or any text (`--push.enable-utf8-names`). */
export type NameScheme = 'legacy' | 'utf8';

const metricName = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const labelName = /^[a-zA-Z_][a-zA-Z0-9_]*$/;

/** Whether a metric may be called so. */
export function isMetricName(name: string, scheme: NameScheme): boolean {
  return scheme === 'utf8' ? name !== '' : metricName.test(name);
}

/** Whether a label may be called so; names that begin with `__` are reserved besides, see `isReservedLabel`. */
export function isLabelName(name: string, scheme: NameScheme): boolean {
  return scheme === 'utf8' ? name !== '' : labelName.test(name);
}

/** Labels that Prometheus keeps for itself; the Pushgateway refuses them. */
export function isReservedLabel(name: string): boolean {
  return name.startsWith('__');
}
