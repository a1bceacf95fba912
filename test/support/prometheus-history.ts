import { connect } from '../../scripts/engine/connect.ts';
import { renderStack } from '../../scripts/render/render-stack.ts';
import { PrometheusClient } from '../../scripts/servers/prometheus.ts';
import { openServers } from '../../scripts/servers/servers.ts';
import { expectFine } from './revisions.ts';
import type { StackFolder } from './stack-folder.ts';

/** A series of the past; times are milliseconds since 1970. */
export interface PastSeries {
  readonly metric: Readonly<Record<string, string>>;
  readonly values: readonly number[];
  readonly timestamps: readonly number[];
}

/** The series in the OpenMetrics format. */
function openMetricsOf(series: readonly PastSeries[]): string {
  const lines = series.flatMap(({ metric: { __name__: name, ...labels }, values, timestamps }) => {
    const pairs = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
    return values.map((value, at) => `${name}{${pairs.join(',')}} ${value} ${(timestamps[at] ?? 0) / 1000}`);
  });
  return `${lines.join('\n')}\n# EOF\n`;
}

/** Adds samples of the past to the Prometheus of a running stack. */
export async function importHistory(stack: StackFolder, series: readonly PastSeries[]): Promise<void> {
  await using engine = await connect({ env: process.env });
  const container = `${stack.name}-prometheus`;
  const metrics = { path: 'metrics.om', content: Buffer.from(openMetricsOf(series)), mode: 0o644 };
  await engine.putFiles(container, '/prometheus', [{ kind: 'file', uid: 65534, gid: 65534, ...metrics }]);
  // The root file system, and so the usual folder for temporary files, is read-only.
  const blocks =
    'promtool tsdb create-blocks-from openmetrics --max-block-duration=1d /prometheus/metrics.om /prometheus';
  const made = await engine.exec(container, ['busybox', 'env', 'TMPDIR=/prometheus', ...blocks.split(' ')]);
  if (made.exitCode !== 0) throw new Error(`promtool did not create the blocks: ${made.stderr}`);
  expectFine(await stack.run('restart', 'prometheus'));
}

/** A client of the Prometheus of a running stack, as `backtest` has it; disposing it closes its connection. */
export async function historyClient(stack: StackFolder): Promise<Disposable & { readonly client: PrometheusClient }> {
  const engine = await connect({ env: process.env });
  const rendered = await renderStack({ cwd: stack.path, env: {} });
  if (!rendered.ok) throw new Error('stack.yml is not valid');
  const servers = await openServers(engine, rendered.value.loaded.config, AbortSignal.timeout(600_000));
  return { client: new PrometheusClient(servers), [Symbol.dispose]: () => servers.close() };
}
