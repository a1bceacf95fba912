import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';
import { alertmanager } from './alertmanager.ts';
import { buildDashboard, type DashboardPlan } from './dashboard.ts';
import { demo } from './demo.ts';
import { pipelineOverview } from './pipeline-overview.ts';
import { prometheus } from './prometheus.ts';
import { pushgateway } from './pushgateway.ts';

/** A dashboard that promstack ships, and the file below templates/ that holds it. */
export interface ShippedDashboard {
  readonly name: string;
  /** Relative to the package's folder. */
  readonly path: string;
  readonly dashboard: Dashboard;
  /** As it is written to the file. */
  readonly text: string;
}

/** Each service brings its own dashboard, so that one is there exactly when its service is. */
const plans: readonly { readonly name: string; readonly path: string; readonly plan: DashboardPlan }[] = [
  {
    name: 'pipeline-overview',
    path: 'templates/grafana/contribute/dashboards/pipeline-overview.json',
    plan: pipelineOverview,
  },
  { name: 'pushgateway', path: 'templates/pushgateway/contribute/dashboards/pushgateway.json', plan: pushgateway },
  { name: 'prometheus', path: 'templates/prometheus/contribute/dashboards/prometheus.json', plan: prometheus },
  { name: 'alertmanager', path: 'templates/alertmanager/contribute/dashboards/alertmanager.json', plan: alertmanager },
  { name: 'demo', path: 'stack/demo/templates/grafana/dashboards/promstack/demo.json', plan: demo },
];

/** Builds every dashboard promstack ships. */
export function shippedDashboards(): readonly ShippedDashboard[] {
  return plans.map(({ name, path, plan }) => {
    const dashboard = buildDashboard(plan);
    return { name, path, dashboard, text: `${JSON.stringify(dashboard, null, 2)}\n` };
  });
}
