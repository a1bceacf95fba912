import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';
import { alertmanager } from './alertmanager.ts';
import { blackbox } from './blackbox.ts';
import { buildDashboard, type DashboardPlan } from './dashboard.ts';
import { mysqld, postgres, redis } from './databases.ts';
import { demo } from './demo.ts';
import { node } from './node.ts';
import { pipelineOverview } from './pipeline-overview.ts';
import { processes } from './processes.ts';
import { prometheus } from './prometheus.ts';
import { pushgateway } from './pushgateway.ts';
import { snmp } from './snmp.ts';
import { victoriametrics } from './victoriametrics.ts';
import { apache, haproxy, nginx } from './web-servers.ts';

/** A shipped dashboard and its file in templates/. */
export interface ShippedDashboard {
  readonly name: string;
  /** Relative to the package's folder. */
  readonly path: string;
  readonly dashboard: Dashboard;
  /** The content of the file. */
  readonly text: string;
}

const exporterTemplates = 'templates/exporters';

/** Each service has its own dashboard, which exists exactly when the service does. */
const plans: readonly { readonly name: string; readonly path: string; readonly plan: DashboardPlan }[] = [
  {
    name: 'pipeline-overview',
    path: 'templates/grafana/contribute/dashboards/pipeline-overview.json',
    plan: pipelineOverview,
  },
  { name: 'pushgateway', path: 'templates/pushgateway/contribute/dashboards/pushgateway.json', plan: pushgateway },
  { name: 'prometheus', path: 'templates/prometheus/contribute/dashboards/prometheus.json', plan: prometheus },
  { name: 'alertmanager', path: 'templates/alertmanager/contribute/dashboards/alertmanager.json', plan: alertmanager },
  {
    name: 'victoriametrics',
    path: 'templates/victoriametrics/contribute/dashboards/victoriametrics.json',
    plan: victoriametrics,
  },
  ...Object.entries({
    node,
    process: processes,
    blackbox,
    snmp,
    postgres,
    redis,
    mysqld,
    nginx,
    apache,
    haproxy,
  }).map(([kind, plan]) => ({
    name: kind,
    path: `${exporterTemplates}/${kind}/contribute/dashboards/${kind}.json`,
    plan,
  })),
  { name: 'demo', path: 'stack/demo/templates/grafana/dashboards/promstack/demo.json', plan: demo },
];

/** Whether a stack has a dashboard only when stack.yml names the service: an exporter, or the store of `long_term`. */
export const isOptional = ({ name, path }: Pick<ShippedDashboard, 'name' | 'path'>): boolean =>
  path.startsWith(exporterTemplates) || name === 'victoriametrics';

/** Builds all shipped dashboards. */
export function shippedDashboards(): readonly ShippedDashboard[] {
  return plans.map(({ name, path, plan }) => {
    const dashboard = buildDashboard(plan);
    return { name, path, dashboard, text: `${JSON.stringify(dashboard, null, 2)}\n` };
  });
}
