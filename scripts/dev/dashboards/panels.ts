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
import { PanelBuilder as GraphBuilder } from '@grafana/grafana-foundation-sdk/timeseries';
import { colour, neutral } from './thresholds.ts';

/** Every panel asks the stack's own Prometheus, by the uid its datasource is provisioned with. */
export const datasource = { type: 'prometheus', uid: 'prometheus' } as const;

/** PromQL expressions by Grafana's legend template, such as `{{job}}`. */
type Queries = Readonly<Record<string, string>>;

/** What all kinds of panels take. */
export interface Options {
  /** Of the grid's 24 columns; an equal share of the row when absent. */
  readonly width?: number;
  /** One of Grafana's unit names. */
  readonly unit?: string;
  /** Steps from the lowest; green below the first one. */
  readonly thresholds?: readonly Threshold[];
  readonly mappings?: readonly ValueMapping[];
  readonly decimals?: number;
  readonly min?: number;
  readonly max?: number;
  /** Shown when Prometheus has no such series; nothing known is never shown as good. */
  readonly noValue?: string;
}

interface GraphOptions extends Options {
  readonly stacked?: boolean;
  readonly bars?: boolean;
  /** Colours by a regular expression over the legend. */
  readonly colours?: Readonly<Record<string, string>>;
  /** A line across the graph at each threshold. */
  readonly thresholdLines?: boolean;
  readonly softMax?: number;
}

interface StatOptions extends Options {
  /** Shows the series' name in place of its value. */
  readonly shows?: 'value' | 'name';
  readonly sparkline?: boolean;
  /** Colours the number only, for values that ask for nothing. */
  readonly quiet?: boolean;
}

/** A panel before its position in the grid is known. */
export interface PanelPlan {
  /** An equal share of the row when undefined. */
  readonly width: number | undefined;
  at(position: {
    readonly id: number;
    readonly x: number;
    readonly y: number;
    readonly width: number;
    readonly height: number;
  }): Builder<Panel>;
}

/** Lines over time. The description says what is shown, what is normal and what to do when it is not. */
export function graph(title: string, description: string, queries: Queries, options: GraphOptions = {}): PanelPlan {
  const { bars, stacked, softMax, thresholdLines, colours = {} } = options;
  return panel({ title, description, queries, ...options, unit: options.unit ?? 'short' }, () => {
    const builder = new GraphBuilder()
      .legend(
        new VizLegendOptionsBuilder()
          .showLegend(true)
          .displayMode(LegendDisplayMode.Table)
          .placement(LegendPlacement.Bottom)
          .calcs(['lastNotNull', 'max']),
      )
      .tooltip(new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi).sort(SortOrder.Descending))
      .drawStyle(bars ? GraphDrawStyle.Bars : GraphDrawStyle.Line)
      .fillOpacity(bars ? 70 : stacked ? 30 : 8)
      .lineWidth(bars ? 0 : 1.5)
      .showPoints(VisibilityMode.Never)
      .axisSoftMin(0);
    if (softMax !== undefined) builder.axisSoftMax(softMax);
    if (stacked) builder.stacking(new StackingConfigBuilder().mode(StackingMode.Normal));
    if (thresholdLines) {
      builder.thresholdsStyle(new GraphThresholdsStyleConfigBuilder().mode(GraphThresholdsStyleMode.Dashed));
    }
    for (const [pattern, color] of Object.entries(colours)) builder.overrideByRegexp(pattern, fixed(color));
    return builder;
  });
}

/** A graph that should be empty: red bars. */
export function failures(title: string, description: string, queries: Queries, options: Options = {}): PanelPlan {
  return graph(title, description, queries, { bars: true, colours: { '/.*/': colour.critical }, ...options });
}

/** Memory of a server, which its `…_build_info` metric tells from the other processes. */
export function memory(server: string, description: string): PanelPlan {
  const expr = `process_resident_memory_bytes ${ofServer(server)}`;
  return graph('Memory', description, { '{{instance}}': expr }, { unit: 'bytes' });
}

export function cpu(server: string): PanelPlan {
  const expr = `rate(process_cpu_seconds_total[$__rate_interval]) ${ofServer(server)}`;
  return graph('CPU', 'CPUs in use; 1 is one of them whole.', { '{{instance}}': expr });
}

/** Narrows metrics that every process exports to those of one server. */
export function ofServer(server: string): string {
  return `and on (job, instance) ${server}_build_info`;
}

/** One number to be read from across the room; its background says whether to act. */
export function stat(title: string, description: string, queries: Queries, options: StatOptions = {}): PanelPlan {
  const { quiet, sparkline, shows } = options;
  const start = () =>
    new StatBuilder()
      .reduceOptions(new ReduceDataOptionsBuilder().calcs(['lastNotNull']).values(false))
      .colorMode(quiet ? BigValueColorMode.Value : BigValueColorMode.Background)
      .graphMode(sparkline ? BigValueGraphMode.Area : BigValueGraphMode.None)
      .textMode(shows === 'name' ? BigValueTextMode.Name : BigValueTextMode.Auto)
      .orientation(VizOrientation.Auto);
  // Over a range, a series that ended would stay as a second number.
  return panel({ title, description, queries, ...options }, start, sparkline ? 'range' : 'instant');
}

/** The largest few, as bars side by side, now. */
export function bars(title: string, description: string, queries: Queries, options: Options = {}): PanelPlan {
  return panel(
    { title, description, queries, ...options },
    () =>
      new BarsBuilder()
        .reduceOptions(new ReduceDataOptionsBuilder().calcs(['lastNotNull']).values(false))
        .orientation(VizOrientation.Horizontal)
        .displayMode(BarGaugeDisplayMode.Basic),
    'instant',
  );
}

/** A band of colour for each series: when it was well and when not. */
export function timeline(title: string, description: string, queries: Queries, options: Options = {}): PanelPlan {
  return panel({ title, description, queries, ...options }, () =>
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

type PlannedPanel = Options & {
  readonly title: string;
  readonly description: string;
  /** A list when nothing shows a legend. */
  readonly queries: Queries | readonly string[];
};

/** What all kinds of panels have in common; `start` makes the builder of the kind. */
export function panel(
  plan: PlannedPanel,
  start: () => unknown,
  type: 'range' | 'instant' | 'table' = 'range',
): PanelPlan {
  return {
    width: plan.width,
    at: ({ id, x, y, width, height }) => {
      const builder = start() as AnyBuilder;
      builder
        .id(id)
        .title(plan.title)
        .description(plan.description)
        .datasource(datasource)
        .gridPos({ x, y, w: width, h: height })
        .unit(plan.unit ?? 'none')
        .noValue(plan.noValue ?? 'no data')
        .thresholds(
          new ThresholdsConfigBuilder().mode(ThresholdsMode.Absolute).steps([...(plan.thresholds ?? neutral)]),
        );
      if (plan.decimals !== undefined) builder.decimals(plan.decimals);
      if (plan.min !== undefined) builder.min(plan.min);
      if (plan.max !== undefined) builder.max(plan.max);
      if (plan.mappings !== undefined) builder.mappings([...plan.mappings]);
      const queries = Array.isArray(plan.queries)
        ? plan.queries.map((expr) => ['', expr])
        : Object.entries(plan.queries);
      for (const [at, [legend, expr]] of queries.entries()) {
        builder.withTarget(target(expr, legend, String.fromCharCode(65 + at), type));
      }
      return builder;
    },
  };
}

function target(expr: string, legend: string, refId: string, type: 'range' | 'instant' | 'table'): DataqueryBuilder {
  const builder = new DataqueryBuilder().datasource(datasource).expr(expr).refId(refId).legendFormat(legend);
  if (type === 'range') return builder.range();
  return builder.instant().format(type === 'table' ? PromQueryFormat.Table : PromQueryFormat.TimeSeries);
}

function fixed(color: string): DynamicConfigValue[] {
  return [{ id: 'color', value: { mode: FieldColorModeId.Fixed, fixedColor: color } }];
}
