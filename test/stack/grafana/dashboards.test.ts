import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Panel } from '@grafana/grafana-foundation-sdk/dashboard';
import { describe, expect, test } from 'vitest';
import { shippedDashboards } from '../../../scripts/dev/dashboards/index.ts';
import { packageRoot } from '../../../scripts/util/package-root.ts';
import { fillMacros, panelsOf, queriesOf, startingValues } from '../../support/dashboard-queries.ts';
import { promqlErrors } from '../../support/promql.ts';

const shipped = shippedDashboards();

test('no two dashboards may share a uid or a title', () => {
  const uids = shipped.map(({ dashboard }) => dashboard.uid);
  const titles = shipped.map(({ dashboard }) => dashboard.title);
  expect(new Set(uids).size).toBe(shipped.length);
  expect(new Set(titles).size).toBe(shipped.length);
  for (const uid of uids) expect(uid).toMatch(/^[a-zA-Z0-9_-]{1,40}$/);
});

describe.each(shipped)('$name', ({ path, text, dashboard }) => {
  const panels = panelsOf(dashboard);
  const all = (dashboard.panels ?? []) as readonly Panel[];

  test('the file in templates must be up to date (npm run generate writes it)', () => {
    expect(readFileSync(join(packageRoot(), path), 'utf8')).toBe(text);
  });

  test('every expression must parse', () => {
    const variables = startingValues(dashboard);
    for (const { where, expr } of queriesOf(dashboard)) {
      expect(promqlErrors(fillMacros(expr, variables)), `${where}: ${expr}`).toEqual([]);
    }
  });

  test('every variable in a query or title must exist, and every variable must be used', () => {
    const known = (dashboard.templating.list ?? []).map(({ name }) => name);
    const used = new Set(
      queriesOf(dashboard).flatMap(({ expr }) =>
        [...expr.replaceAll(/\$__\w+/g, '').matchAll(/\$\{?([a-z_]\w*)/g)].map((match) => match[1]),
      ),
    );
    expect([...used].sort()).toEqual([...known].sort());
  });

  test('every panel must have a title, a description, a unit and a query', () => {
    for (const panel of panels) {
      expect(panel.title?.trim(), JSON.stringify(panel.gridPos)).toBeTruthy();
      expect(panel.description?.length ?? 0, panel.title).toBeGreaterThan(20);
      expect(panel.fieldConfig?.defaults.unit, panel.title).toBeTruthy();
      expect(panel.targets?.length ?? 0, panel.title).toBeGreaterThan(0);
    }
  });

  test("every panel, query and annotation must use the stack's Prometheus by its uid", () => {
    const expected = { type: 'prometheus', uid: 'prometheus' };
    for (const panel of panels) {
      expect(panel.datasource, panel.title).toEqual(expected);
      for (const target of panel.targets ?? [])
        expect((target as { datasource?: unknown }).datasource, panel.title).toEqual(expected);
    }
    for (const { name, datasource } of dashboard.annotations.list ?? []) expect(datasource, name).toEqual(expected);
  });

  test('ids and, within a panel, refIds must be unique', () => {
    const ids = all.map(({ id }) => id);
    expect(ids.every((id) => Number.isInteger(id) && Number(id) > 0)).toBe(true);
    expect(new Set(ids).size).toBe(ids.length);
    for (const { title, targets = [] } of panels) {
      const refIds = targets.map((target) => (target as { refId?: string }).refId);
      expect(new Set(refIds).size, title).toBe(targets.length);
      expect(refIds.every(Boolean), title).toBe(true);
    }
  });

  test('panels must fill the 24 columns without overlap or gaps', () => {
    const cells = new Map<string, string>();
    let area = 0;
    let bottom = 0;
    for (const { title = '', gridPos } of all) {
      if (gridPos === undefined) throw new Error(`${title} has no place in the grid`);
      const { x, y, w, h } = gridPos;
      expect(x >= 0 && y >= 0 && w > 0 && h > 0 && x + w <= 24, title).toBe(true);
      area += w * h;
      bottom = Math.max(bottom, y + h);
      for (let row = y; row < y + h; row++) {
        for (let column = x; column < x + w; column++) {
          const cell = `${column},${row}`;
          expect(cells.get(cell), `${title} lies over another panel`).toBeUndefined();
          cells.set(cell, title);
        }
      }
    }
    expect(area).toBe(24 * bottom);
  });

  test('graphs must show their legend and name their series', () => {
    for (const { type, title, options, targets = [] } of panels) {
      if (type !== 'timeseries') continue;
      expect(options.legend.showLegend, title).toBe(true);
      for (const target of targets) expect((target as { legendFormat?: string }).legendFormat, title).toBeTruthy();
    }
  });

  test('only red or orange may follow green, and missing data is never green', () => {
    for (const { title, fieldConfig } of panels) {
      const { thresholds, noValue } = fieldConfig?.defaults ?? {};
      const steps = thresholds?.steps ?? [];
      const colours = steps.map(({ color }) => color);
      const rises = steps.every(
        ({ value }, at) => at === 0 || Number(value) > Number(steps[at - 1]?.value ?? -Infinity),
      );
      expect(rises, title).toBe(true);
      const judged = colours.length > 1;
      if (judged)
        expect(
          colours.some((color) => color === 'red' || color === 'orange'),
          title,
        ).toBe(true);
      expect(noValue, title).toBeTruthy();
      expect(noValue, title).not.toBe('0');
    }
  });

  test('revision changes must be marked in every graph', () => {
    const marks = dashboard.annotations.list?.find(({ name }) => name === 'Revisions');
    expect(marks?.enable).toBe(true);
    expect((marks?.target as { expr?: string } | undefined)?.expr).toContain('promstack_revision_info');
  });
});
