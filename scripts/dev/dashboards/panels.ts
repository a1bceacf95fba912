import { PanelBuilder as BarsBuilder } from '@grafana/grafana-foundation-sdk/bargauge';
import type { Builder } from '@grafana/grafana-foundation-sdk/cog';
import {
  BarGaugeDisplayMode,
  BigValueColorMode,
  BigValueGraphMode,
  BigValueTextMode,
  GraphDrawStyle,
  GraphThresholdsStyleConfigBuilder,
  GraphThresholdsStyleMode,
  LegendDisplayMode,
  LegendPlacement,
  ReduceDataOptionsBuilder,
  SortOrder,
  StackingConfigBuilder,
  StackingMode,
  TableSortByFieldStateBuilder,
  TooltipDisplayMode,
  VisibilityMode,
  VizLegendOptionsBuilder,
  VizOrientation,
  VizTooltipOptionsBuilder,
} from '@grafana/grafana-foundation-sdk/common';
import {
  type DynamicConfigValue,
  FieldColorBuilder,
  FieldColorModeId,
  type Panel,
  type Threshold,
  ThresholdsConfigBuilder,
  ThresholdsMode,
  type ValueMapping,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { DataqueryBuilder, PromQueryFormat } from '@grafana/grafana-foundation-sdk/prometheus';
import { PanelBuilder as StatBuilder } from '@grafana/grafana-foundation-sdk/stat';
import { PanelBuilder as TimelineBuilder } from '@grafana/grafana-foundation-sdk/statetimeline';
import { PanelBuilder as TableBuilder } from '@grafana/grafana-foundation-sdk/table';
import { PanelBuilder as GraphBuilder } from '@grafana/grafana-foundation-sdk/timeseries';
import { noJudgement } from './judgement.ts';

/** Every panel asks the stack's own Prometheus, by the uid its datasource is provisioned with. */
export const datasource = { type: 'prometheus', uid: 'prometheus' } as const;

/** One question to Prometheus and how its answers are named. */
export interface Query {
  readonly expr: string;
  /** Grafana's legend template, such as `{{job}}`. */
  readonly legend: string;
}

/** What every panel says of itself. */
interface Common {
  readonly title: string;
  /** What it shows, what is normal and what to do when it is not. */
  readonly description: string;
  /** Of the grid's 24 columns. */
  readonly width: number;
  /** One of Grafana's unit names. */
  readonly unit: string;
  readonly queries: readonly Query[];
  /** Steps from the lowest; green below the first one. */
  readonly thresholds?: readonly Threshold[];
  readonly mappings?: readonly ValueMapping[];
  readonly decimals?: number;
  readonly min?: number;
  readonly max?: number;
  /** What stands there when Prometheus has no such series; nothing known is never shown as good. */
  readonly noValue?: string;
}

/** A panel before its place in the grid is known. */
export interface PanelPlan {
  readonly width: number;
  at(place: { readonly id: number; readonly x: number; readonly y: number; readonly height: number }): Builder<Panel>;
}

/** Lines over time. */
export function graph(
  plan: Common & {
    readonly stacked?: boolean;
    readonly bars?: boolean;
    /** Colours by a regular expression over the legend. */
    readonly colours?: Readonly<Record<string, string>>;
    /** A line across the graph at each threshold. */
    readonly thresholdLines?: boolean;
    readonly softMax?: number;
  },
): PanelPlan {
  return panel(plan, () => {
    const builder = new GraphBuilder()
      .legend(
        new VizLegendOptionsBuilder()
          .showLegend(true)
          .displayMode(LegendDisplayMode.Table)
          .placement(LegendPlacement.Bottom)
          .calcs(['lastNotNull', 'max']),
      )
      .tooltip(new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi).sort(SortOrder.Descending))
      .drawStyle(plan.bars ? GraphDrawStyle.Bars : GraphDrawStyle.Line)
      .fillOpacity(plan.bars ? 70 : plan.stacked ? 30 : 8)
      .lineWidth(plan.bars ? 0 : 1.5)
      .showPoints(VisibilityMode.Never)
      .axisSoftMin(0);
    if (plan.softMax !== undefined) builder.axisSoftMax(plan.softMax);
    if (plan.stacked) builder.stacking(new StackingConfigBuilder().mode(StackingMode.Normal));
    if (plan.thresholdLines) {
      builder.thresholdsStyle(new GraphThresholdsStyleConfigBuilder().mode(GraphThresholdsStyleMode.Dashed));
    }
    for (const [pattern, color] of Object.entries(plan.colours ?? {})) builder.overrideByRegexp(pattern, fixed(color));
    return builder;
  });
}

/** One number to be read from across the room; its background says whether to act. */
export function stat(
  plan: Common & {
    /** Shows the series' name in place of its value. */
    readonly shows?: 'value' | 'name';
    readonly sparkline?: boolean;
    /** Colours the number only, for values that ask for nothing. */
    readonly quiet?: boolean;
  },
): PanelPlan {
  const start = () =>
    new StatBuilder()
      .reduceOptions(new ReduceDataOptionsBuilder().calcs(['lastNotNull']).values(false))
      .colorMode(plan.quiet ? BigValueColorMode.Value : BigValueColorMode.Background)
      .graphMode(plan.sparkline ? BigValueGraphMode.Area : BigValueGraphMode.None)
      .textMode(plan.shows === 'name' ? BigValueTextMode.Name : BigValueTextMode.Auto)
      .orientation(VizOrientation.Auto);
  // Over a range, a series that ended would stay as a second number.
  return panel(plan, start, plan.sparkline ? 'range' : 'instant');
}

/** The largest few, as bars side by side, now. */
export function bars(plan: Common): PanelPlan {
  return panel(
    plan,
    () =>
      new BarsBuilder()
        .reduceOptions(new ReduceDataOptionsBuilder().calcs(['lastNotNull']).values(false))
        .orientation(VizOrientation.Horizontal)
        .displayMode(BarGaugeDisplayMode.Basic),
    'instant',
  );
}

/** A band of colour for each series: when it was well and when not. */
export function timeline(plan: Common): PanelPlan {
  return panel(plan, () =>
    new TimelineBuilder()
      .mergeValues(true)
      .rowHeight(0.8)
      .showValue(VisibilityMode.Never)
      .legend(
        new VizLegendOptionsBuilder()
          .showLegend(true)
          .displayMode(LegendDisplayMode.List)
          .placement(LegendPlacement.Bottom)
          .calcs([]),
      )
      .colorScheme(new FieldColorBuilder().mode(FieldColorModeId.Thresholds)),
  );
}

/** A column of a table, by the label or query it comes from. */
export interface Column {
  /** A label's name, or `Value` (`Value #B` and so on with several queries). */
  readonly from: string;
  readonly title: string;
  readonly unit?: string;
  readonly thresholds?: readonly Threshold[];
  readonly mappings?: readonly ValueMapping[];
  readonly width?: number;
}

/** The series as they are now, one a row; only the named columns, in their order. */
export function table(
  plan: Omit<Common, 'unit'> & {
    readonly columns: readonly Column[];
    readonly sortBy?: { readonly column: string; readonly descending: boolean };
  },
): PanelPlan {
  return panel(
    { ...plan, unit: 'none' },
    () => {
      const builder = new TableBuilder().showHeader(true).filterable(false);
      builder
        .withTransformation({ id: 'merge', options: {} })
        .withTransformation({
          id: 'filterFieldsByName',
          options: { include: { names: plan.columns.map(({ from }) => from) } },
        })
        .withTransformation({
          id: 'organize',
          options: {
            indexByName: Object.fromEntries(plan.columns.map(({ from }, at) => [from, at])),
            renameByName: Object.fromEntries(plan.columns.map(({ from, title }) => [from, title])),
          },
        });
      if (plan.sortBy !== undefined) {
        builder.sortBy([
          new TableSortByFieldStateBuilder().displayName(plan.sortBy.column).desc(plan.sortBy.descending),
        ]);
      }
      for (const column of plan.columns) {
        const properties = columnProperties(column);
        if (properties.length > 0) builder.overrideByName(column.title, properties);
      }
      return builder;
    },
    'table',
  );
}

function columnProperties({ unit, thresholds, mappings, width }: Column): DynamicConfigValue[] {
  return [
    ...(unit === undefined ? [] : [{ id: 'unit', value: unit }]),
    ...(width === undefined ? [] : [{ id: 'custom.width', value: width }]),
    ...(mappings === undefined ? [] : [{ id: 'mappings', value: mappings }]),
    ...(thresholds === undefined && mappings === undefined
      ? []
      : [
          { id: 'thresholds', value: { mode: ThresholdsMode.Absolute, steps: thresholds ?? noJudgement } },
          { id: 'custom.cellOptions', value: { type: 'color-text' } },
        ]),
  ];
}

/** The methods that the builders of all kinds of panels share. */
type AnyBuilder = Pick<
  GraphBuilder,
  | 'build'
  | 'id'
  | 'title'
  | 'description'
  | 'datasource'
  | 'gridPos'
  | 'unit'
  | 'decimals'
  | 'min'
  | 'max'
  | 'noValue'
  | 'mappings'
  | 'thresholds'
  | 'withTarget'
>;

function panel(plan: Common, start: () => unknown, answers: 'range' | 'instant' | 'table' = 'range'): PanelPlan {
  return {
    width: plan.width,
    at: ({ id, x, y, height }) => {
      const builder = start() as AnyBuilder;
      builder
        .id(id)
        .title(plan.title)
        .description(plan.description)
        .datasource(datasource)
        .gridPos({ x, y, w: plan.width, h: height })
        .unit(plan.unit)
        .noValue(plan.noValue ?? 'no data')
        .thresholds(
          new ThresholdsConfigBuilder().mode(ThresholdsMode.Absolute).steps([...(plan.thresholds ?? noJudgement)]),
        );
      if (plan.decimals !== undefined) builder.decimals(plan.decimals);
      if (plan.min !== undefined) builder.min(plan.min);
      if (plan.max !== undefined) builder.max(plan.max);
      if (plan.mappings !== undefined) builder.mappings([...plan.mappings]);
      plan.queries.forEach((query, at) => {
        builder.withTarget(target(query, String.fromCharCode(65 + at), answers));
      });
      return builder;
    },
  };
}

function target({ expr, legend }: Query, refId: string, answers: 'range' | 'instant' | 'table'): DataqueryBuilder {
  const builder = new DataqueryBuilder().datasource(datasource).expr(expr).refId(refId).legendFormat(legend);
  if (answers === 'range') return builder.range();
  return builder.instant().format(answers === 'table' ? PromQueryFormat.Table : PromQueryFormat.TimeSeries);
}

function fixed(color: string): DynamicConfigValue[] {
  return [{ id: 'color', value: { mode: FieldColorModeId.Fixed, fixedColor: color } }];
}
