import type { Panel } from '@grafana/grafana-foundation-sdk/dashboard';

/** Where a panel leads: another shipped dashboard, a shipped alert rule, or the panel of the same dashboard with the evidence. */
export type Link =
  | { readonly dashboard: keyof typeof dashboards }
  | { readonly alert: string }
  | { readonly panel: string };

/** The titles of the shipped dashboards that panels of others lead to. */
const dashboards = {
  'promstack-overview': 'Pipeline overview',
  'promstack-pushgateway': 'Pushgateway',
  'promstack-prometheus': 'Prometheus',
  'promstack-alertmanager': 'Alertmanager',
} as const;

/** The dashboard of a panel. */
export interface DashboardPanels {
  readonly uid: string;
  /** The ids of its panels by their titles. */
  readonly ids: ReadonlyMap<string, number>;
}

/** The stack's own Prometheus in the paths of Grafana's pages about alert rules. */
const rulesOf = '/alerting/Prometheus';

/** A link in Grafana's model; its path is relative, so that it works below a sub-path. */
function linkTo(link: Link, { uid, ids }: DashboardPanels): { readonly title: string; readonly url: string } {
  if ('alert' in link) return { title: `Alert rule ${link.alert}`, url: `${rulesOf}/${link.alert}/find` };
  if ('dashboard' in link)
    return { title: dashboards[link.dashboard], url: `/d/${link.dashboard}?\${__url_time_range}` };
  const id = ids.get(link.panel);
  if (id === undefined) throw new Error(`a panel of ${uid} leads to "${link.panel}", which is not in it`);
  return { title: link.panel, url: `/d/${uid}?viewPanel=panel-${id}&\${__url_time_range}` };
}

/** The links are in the panel's header, and a click on its value follows them. */
export function withLinks(panel: Panel, to: readonly Link[] = [], dashboard: DashboardPanels): Panel {
  if (to.length === 0) return panel;
  const links = to.map((link) => linkTo(link, dashboard));
  const { defaults = {}, overrides = [] } = panel.fieldConfig ?? {};
  // The types of the builders ask for all fields of a dashboard's link.
  return { ...panel, links, fieldConfig: { defaults: { ...defaults, links }, overrides } } as unknown as Panel;
}

/** Leads from a cell with the name of an alert to its rule. */
export const ruleOfCell = { title: 'Alert rule', url: `${rulesOf}/\${__value.text}/find` };
