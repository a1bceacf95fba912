import type { Builder } from '@grafana/grafana-foundation-sdk/cog';
import {
  AnnotationQueryBuilder,
  type Dashboard,
  DashboardBuilder,
  DashboardCursorSync,
  DashboardLinkBuilder,
  DashboardLinkType,
  QueryVariableBuilder,
  RowBuilder,
  type VariableModel,
  VariableRefresh,
  VariableSort,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { datasource, type PanelPlan } from './panels.ts';

/** A dashboard as rows of panels; IDs and grid positions are derived from the order. */
export interface DashboardPlan {
  readonly uid: string;
  readonly title: string;
  readonly description: string;
  /** What it shows when it is opened; default: the last half hour. */
  readonly from?: 'now-10m';
  readonly variables?: readonly Builder<VariableModel>[];
  readonly rows: readonly Row[];
}

/** Panels of the same height next to each other. */
export interface Row {
  /** Starts a section. */
  readonly heading?: string;
  /** In Grafana's grid units of about 30 pixels. */
  readonly height: number;
  readonly panels: readonly PanelPlan[];
}

/** Columns of Grafana's grid. */
const gridWidth = 24;

/** The tag of every shipped dashboard, used for the links between them. */
const tag = 'promstack';

/** Builds Grafana's classic JSON model. */
export function buildDashboard(plan: DashboardPlan): Dashboard {
  const builder = new DashboardBuilder(plan.title)
    .uid(plan.uid)
    .description(plan.description)
    .tags([tag])
    .readonly()
    .timezone('browser')
    .time({ from: plan.from ?? 'now-30m', to: 'now' })
    .refresh('30s')
    .tooltip(DashboardCursorSync.Crosshair)
    .annotation(revisionChanges())
    .annotation(firingAlerts())
    .link(otherDashboards());
  for (const variable of plan.variables ?? []) builder.withVariable(variable);

  const panelsOfPlan = { uid: plan.uid, ids: panelIds(plan) };
  let id = 1;
  let y = 0;
  for (const { heading, height, panels } of plan.rows) {
    if (heading !== undefined) {
      builder.withRow(new RowBuilder(heading).id(id++).gridPos({ x: 0, y, w: gridWidth, h: 1 }));
      y += 1;
    }
    let x = 0;
    for (const panel of panels) {
      const width = panel.width ?? gridWidth / panels.length;
      builder.withPanel(panel.at({ id: id++, x, y, width, height }, panelsOfPlan));
      x += width;
    }
    if (x !== gridWidth) throw new Error(`the panels at row ${y} of "${plan.title}" are ${x} columns wide, not 24`);
    y += height;
  }
  return withoutPlacement(builder.build());
}

/** Headings have ids too. */
function panelIds({ rows }: DashboardPlan): ReadonlyMap<string, number> {
  const titles = rows.flatMap(({ heading, panels }) => [
    ...(heading === undefined ? [] : [`heading ${heading}`]),
    ...panels.map(({ title }) => title),
  ]);
  return new Map(titles.map((title, at) => [title, at + 1]));
}

/** The builder moves links and annotations to a menu that older Grafana versions lack; without `placement` they are always visible. */
function withoutPlacement(dashboard: Dashboard): Dashboard {
  for (const item of [...(dashboard.links ?? []), ...(dashboard.annotations.list ?? [])]) delete item.placement;
  return dashboard;
}

/** A variable with a label's values; All is the default. */
export function labelVariable(variable: {
  readonly name: string;
  readonly label: string;
  readonly description: string;
  readonly metric: string;
  readonly from: string;
}): QueryVariableBuilder {
  return (
    new QueryVariableBuilder(variable.name)
      .label(variable.label)
      .description(variable.description)
      .datasource(datasource)
      .query({ query: `label_values(${variable.metric}, ${variable.from})`, refId: variable.name })
      .definition(`label_values(${variable.metric}, ${variable.from})`)
      .refresh(VariableRefresh.OnTimeRangeChanged)
      .sort(VariableSort.AlphabeticalAsc)
      .multi(true)
      .includeAll(true)
      // Also matches series without the label: a source may push without an instance.
      .allValue('.*')
      .current({ selected: true, text: ['All'], value: ['$__all'] })
  );
}

/** Marks when a new revision was applied. */
function revisionChanges(): AnnotationQueryBuilder {
  return annotation('Revisions', 'blue', true, {
    // Only the first point with a new revision, else the mark is a region.
    expr: 'promstack_revision_info unless on (revision) promstack_revision_info offset $__interval',
    titleFormat: 'Revision {{revision}}',
    textFormat: 'promstack applied this revision of the stack.',
    tagKeys: 'revision',
  });
}

/** Marks when alerts fired; off by default, since there may be many. */
function firingAlerts(): AnnotationQueryBuilder {
  return annotation('Firing alerts', 'red', false, {
    expr: 'ALERTS{alertstate="firing"}',
    titleFormat: '{{alertname}}',
    textFormat: '{{severity}} {{job}} {{instance}}',
    tagKeys: 'alertname,severity',
  });
}

function annotation(
  name: string,
  color: string,
  enabled: boolean,
  query: {
    readonly expr: string;
    readonly titleFormat: string;
    readonly textFormat: string;
    readonly tagKeys: string;
  },
): AnnotationQueryBuilder {
  const builder = new AnnotationQueryBuilder().name(name).datasource(datasource).enable(enabled).iconColor(color);
  // Fields of the Prometheus datasource that the builder does not have.
  const { expr, ...formats } = query;
  Object.assign((builder as unknown as { internal: object }).internal, {
    target: { expr, interval: '30s', refId: 'Anno' },
    ...formats,
    useValueForTime: false,
  });
  return builder;
}

function otherDashboards(): DashboardLinkBuilder {
  return new DashboardLinkBuilder('promstack')
    .type(DashboardLinkType.Dashboards)
    .tags([tag])
    .asDropdown(true)
    .includeVars(false)
    .keepTime(true)
    .tooltip('Other dashboards of this stack');
}
