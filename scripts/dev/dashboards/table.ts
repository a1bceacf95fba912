import { TableSortByFieldStateBuilder } from '@grafana/grafana-foundation-sdk/common';
import {
  type DynamicConfigValue,
  type Threshold,
  ThresholdsMode,
  type ValueMapping,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { PanelBuilder as TableBuilder } from '@grafana/grafana-foundation-sdk/table';
import { type Options, type PanelPlan, panel } from './panels.ts';
import { neutral } from './thresholds.ts';

/** A column of a table, from a label or a query. */
interface Column {
  /** A label name, or `Value` (`Value #B` and so on with several queries). */
  readonly from: string;
  readonly title: string;
  readonly unit?: string;
  readonly thresholds?: readonly Threshold[];
  readonly mappings?: readonly ValueMapping[];
  readonly width?: number;
  /** Shown in cells without a value; default: a dash. Else they have what the panel shows without any rows. */
  readonly empty?: string;
  /** Where a click on a cell leads. */
  readonly link?: { readonly title: string; readonly url: string };
}

/** The current series, one per row, with these columns in this order. */
export function table(
  title: string,
  description: string,
  queries: readonly string[],
  columns: readonly Column[],
  options: Options & { readonly sortBy?: { readonly column: string; readonly descending: boolean } } = {},
): PanelPlan {
  return panel(
    { title, description, queries, ...options },
    () => {
      const builder = new TableBuilder().showHeader(true).filterable(false);
      builder
        .withTransformation({ id: 'merge', options: {} })
        .withTransformation({
          id: 'filterFieldsByName',
          options: { include: { names: columns.map(({ from }) => from) } },
        })
        .withTransformation({
          id: 'organize',
          options: {
            indexByName: Object.fromEntries(columns.map(({ from }, at) => [from, at])),
            renameByName: Object.fromEntries(columns.map(({ from, title }) => [from, title])),
          },
        });
      if (options.sortBy !== undefined) {
        builder.sortBy([
          new TableSortByFieldStateBuilder().displayName(options.sortBy.column).desc(options.sortBy.descending),
        ]);
      }
      for (const column of columns) builder.overrideByName(column.title, columnProperties(column));
      return builder;
    },
    'table',
  );
}

function columnProperties({ unit, thresholds, mappings, width, link, empty = '–' }: Column): DynamicConfigValue[] {
  return [
    { id: 'noValue', value: empty },
    ...(link === undefined ? [] : [{ id: 'links', value: [link] }]),
    ...(unit === undefined ? [] : [{ id: 'unit', value: unit }]),
    // A share of nearly nothing would have more digits than its column has room for.
    ...(unit === 'percentunit' ? [{ id: 'decimals', value: 0 }] : []),
    ...(width === undefined ? [] : [{ id: 'custom.width', value: width }]),
    ...(mappings === undefined ? [] : [{ id: 'mappings', value: mappings }]),
    ...(thresholds === undefined && mappings === undefined
      ? []
      : [
          { id: 'thresholds', value: { mode: ThresholdsMode.Absolute, steps: thresholds ?? neutral } },
          { id: 'custom.cellOptions', value: { type: 'color-text' } },
        ]),
  ];
}
