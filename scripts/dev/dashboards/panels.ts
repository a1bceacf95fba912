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
import { aMinute, someEvents } from './events.ts';
import { type DashboardPanels, type Link, withLinks } from './link.ts';
import { colour, neutral, textForNull } from './thresholds.ts';

/** The stack's own Prometheus, by the uid of its provisioned datasource. */
export const datasource = { type: 'prometheus', uid: 'prometheus' } as const;

/** PromQL expressions by legend template, such as `{{job}}`. */
type Queries = Readonly<Record<string, string>>;

/** Options of all panels. */
export interface Options {
  /** In grid columns, 24 per row; default: an equal share of the row. */
  readonly width?: number;
  /** A Grafana unit name. */
  readonly unit?: string;
  /** In ascending order; green below the first one. */
  readonly thresholds?: readonly Threshold[];
  readonly mappings?: readonly ValueMapping[];
  readonly decimals?: number;
  readonly min?: number;
  readonly max?: number;
  /** Shown without data; missing data is never shown as good. */
  readonly noValue?: string;
  /** Where to go from here; to several places when what is shown comes from several servers. */
  readonly links?: readonly Link[];
}

export interface GraphOptions extends Options {
  readonly stacked?: boolean;
  readonly bars?: boolean;
  /** Colours by regular expression of the legend. */
  readonly colours?: Readonly<Record<string, string>>;
  /** A line across the graph at each threshold. */
  readonly thresholdLines?: boolean;
  readonly softMax?: number;
  /** Shows failures: in shades of red, whereas the first colour of the palette is green. */
  readonly isBad?: boolean;
}

interface StatOptions extends Options {
  /** Shows the name of the series instead of its value. */
  readonly shows?: 'value' | 'name';
  /** Colours the number instead of the background, for values that need no action. */
  readonly quiet?: boolean;
}

/** A panel without its grid position. */
export interface PanelPlan {
  readonly title: string;
  /** Default: an equal share of the row. */
  readonly width: number | undefined;
  at(
    position: {
      readonly id: number;
      readonly x: number;
      readonly y: number;
      readonly width: number;
      readonly height: number;
    },
    dashboard: DashboardPanels,
  ): Builder<Panel>;
}

/** A time series panel. The description says what is shown, what is normal and what to do when it is not. */
export function graph(title: string, description: string, queries: Queries, options: GraphOptions = {}): PanelPlan {
  const { bars, stacked, thresholdLines, isBad, colours = {} } = options;
  const { unit = 'short', softMax = shortestAxis[unit] } = options;
  return panel({ title, description, queries, ...options, unit }, () => {
    const builder = new GraphBuilder()
      .legend(
        new VizLegendOptionsBuilder()
          .showLegend(true)
          // A table has room for two rows and pushes its columns out of sight.
          .displayMode(LegendDisplayMode.List)
          .placement(LegendPlacement.Bottom)
          .calcs([]),
      )
      .tooltip(new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi).sort(SortOrder.Descending))
      .drawStyle(bars ? GraphDrawStyle.Bars : GraphDrawStyle.Line)
      // A line of zeros on top of others would have their height.
      .fillOpacity(bars ? 70 : stacked ? 50 : 8)
      .lineWidth(bars || stacked ? 0 : 1.5)
      .showPoints(VisibilityMode.Never)
      .axisSoftMin(0);
    if (softMax !== undefined) builder.axisSoftMax(softMax);
    if (isBad) builder.colorScheme(new FieldColorBuilder().mode(FieldColorModeId.Shades).fixedColor(colour.critical));
    if (stacked) builder.stacking(new StackingConfigBuilder().mode(StackingMode.Normal));
    if (thresholdLines) {
      builder.thresholdsStyle(new GraphThresholdsStyleConfigBuilder().mode(GraphThresholdsStyleMode.Dashed));
    }
    for (const [pattern, color] of Object.entries(colours)) builder.overrideByRegexp(pattern, fixed(color));
    return builder;
  });
}

/** Where the axis ends at least, by unit: that of a graph of zeros would end at 100. */
const shortestAxis: Readonly<Record<string, number>> = { short: 1, [aMinute]: 1, reqps: 1, percentunit: 0.01 };

/** Red bars of the events of counters, by legend; without any the panel says so. */
export function failures(title: string, description: string, counters: Queries, options: GraphOptions = {}): PanelPlan {
  const queries = Object.entries(counters).map(([legend, counter]) => {
    const labels = [...legend.matchAll(/\{\{(\w+)\}\}/g)].map(([, label = '']) => label);
    return [legend, someEvents(counter, ...labels)];
  });
  return graph(title, description, Object.fromEntries(queries), {
    bars: true,
    colours: { '/.*/': colour.critical },
    noValue: 'No failures',
    ...options,
  });
}

/** Memory of a server, identified by its `…_build_info` metric. */
export function memory(server: string, description: string): PanelPlan {
  const expr = `process_resident_memory_bytes ${ofServer(server)}`;
  return graph('Memory', description, { '{{instance}}': expr }, { unit: 'bytes' });
}

export function cpu(server: string): PanelPlan {
  const expr = `rate(process_cpu_seconds_total[$__rate_interval]) ${ofServer(server)}`;
  return graph('CPU', 'CPU cores used by the process.', { '{{instance}}': expr }, { softMax: 0.1 });
}

/** Filters metrics that every process exports to those of one server. */
export function ofServer(server: string): string {
  return `and on (job, instance) ${server}_build_info`;
}

/** A stat panel; its background colour shows whether to act. */
export function stat(title: string, description: string, queries: Queries, options: StatOptions = {}): PanelPlan {
  const { quiet, shows } = options;
  const start = () =>
    new StatBuilder()
      .reduceOptions(new ReduceDataOptionsBuilder().calcs(['lastNotNull']).values(false))
      .colorMode(quiet ? BigValueColorMode.Value : BigValueColorMode.Background)
      .graphMode(BigValueGraphMode.None)
      .textMode(shows === 'name' ? BigValueTextMode.Name : BigValueTextMode.Auto)
      .orientation(VizOrientation.Auto);
  // In a range query, a series that has ended would stay as a second number.
  // Without a series its server is not scraped.
  const noValue = options.noValue ?? 'Not scraped';
  const mappings = [...(options.mappings ?? []), textForNull(noValue, colour.unknown)];
  return panel({ title, description, queries, ...options, noValue, mappings }, start, 'instant');
}

/** A bar gauge of the current values. */
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

/** A state timeline, one band per series. */
export function timeline(title: string, description: string, queries: Queries, options: Options = {}): PanelPlan {
  // Keeps missing values out of the legend.
  const mappings = [...(options.mappings ?? []), textForNull('', 'transparent')];
  return panel({ title, description, queries, ...options, mappings }, () => {
    const builder = new TimelineBuilder()
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
      // With colours by threshold the legend has numbers instead of the words for them.
      .colorScheme(new FieldColorBuilder().mode(FieldColorModeId.Fixed).fixedColor(colour.none));
    const build = builder.build.bind(builder);
    // 0 is for no pager, which the builder refuses; otherwise there is one for a single page too.
    return Object.assign(builder, { build: () => ({ ...build(), options: { ...build().options, perPage: 0 } }) });
  });
}

/** The methods that all panel builders share. */
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
  /** A list for panels without a legend. */
  readonly queries: Queries | readonly string[];
};

/** Sets what all panels have in common; `start` creates the builder. */
export function panel(
  plan: PlannedPanel,
  start: () => unknown,
  type: 'range' | 'instant' | 'table' = 'range',
): PanelPlan {
  const { title, width } = plan;
  return {
    title,
    width,
    at: ({ id, x, y, width, height }, dashboard) => {
      const builder = start() as AnyBuilder;
      builder
        .id(id)
        .title(plan.title)
        .description(plan.description)
        .datasource(datasource)
        .gridPos({ x, y, w: width, h: height })
        .unit(plan.unit ?? 'short')
        .noValue(plan.noValue ?? 'No data')
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
      return { build: () => withLinks(builder.build(), plan.links, dashboard) };
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
