import type { Dashboard, GridPos, Panel, RowPanel } from '@grafana/grafana-foundation-sdk/dashboard';
import { type Box, sketchOf } from './sketches.ts';
import { escapeXml, fitted, ink, text } from './svg.ts';

/** The picture's width and the size of one cell of Grafana's grid, in pixels; a row has a gap of 8 below it. */
const width = 1200;
const column = width / 24;
const rowHeight = 30;
const gap = 8;
const header = 64;
const titleBar = 28;

/** A drawing of a dashboard's layout: true to the grid, the titles, kinds and units; what the panels show is made up. */
export function drawDashboard(dashboard: Dashboard): string {
  const panels = dashboard.panels ?? [];
  const bottom = Math.max(...panels.map(({ gridPos }) => (gridPos ? top(gridPos) + tall(gridPos) : 0)));
  const height = bottom + gap;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="Inter, Roboto, Helvetica, Arial, sans-serif" role="img">`,
    `<title>${escapeXml(`${dashboard.title ?? ''}: layout of the dashboard, with made-up values`)}</title>`,
    `<rect width="${width}" height="${height}" fill="${ink.page}"/>`,
    drawHeader(dashboard),
    ...panels.map((one) => (one.type === 'row' ? drawRow(one as RowPanel) : drawPanel(one as Panel))),
    '</svg>',
    '',
  ].join('\n');
}

function drawHeader({ title = '', description = '', templating, time }: Dashboard): string {
  const range = time?.from === 'now-1h' ? 'Last 1 hour' : `${time?.from ?? ''} to ${time?.to ?? ''}`;
  const chips = (templating.list ?? []).map(({ label, name, current }) => {
    const chosen = [current?.text ?? ''].flat().join(', ');
    return `${typeof label === 'string' && label !== '' ? label : name}: ${chosen}`;
  });
  let right = width - 16;
  const drawn = [range, ...chips.reverse()].map((chip) => {
    const wide = Math.round(chip.length * 6.4 + 20);
    right -= wide + gap;
    return `<rect x="${right + gap}" y="16" width="${wide}" height="26" rx="3" fill="${ink.panel}" stroke="${ink.line}"/>${text(chip, { x: right + gap + wide / 2, y: 33, size: 12, anchor: 'middle' })}`;
  });
  return [
    text(title, { x: 16, y: 30, size: 18, weight: 600, fill: ink.strong }),
    text(fitted(description, right - 24, 12), { x: 16, y: 50, size: 12, fill: ink.weak }),
    ...drawn,
  ].join('');
}

function drawRow({ title = '', gridPos }: RowPanel): string {
  const y = gridPos === undefined ? 0 : top(gridPos);
  return `<path d="M16 ${y + 13}l5 5l5 -5" fill="none" stroke="${ink.text}" stroke-width="1.6"/>${text(title, { x: 36, y: y + 20, size: 14, weight: 600, fill: ink.strong })}`;
}

function drawPanel(panel: Panel): string {
  const { title = '', gridPos = { x: 0, y: 0, w: 24, h: 4 } } = panel;
  const frame: Box = {
    x: Math.round(gridPos.x * column + gap / 2),
    y: top(gridPos),
    width: Math.round(gridPos.w * column - gap),
    height: tall(gridPos),
  };
  // A single number carries its unit itself.
  const unit = panel.type === 'stat' ? '' : unitName(panel.fieldConfig?.defaults.unit);
  const unitRoom = unit === '' ? 0 : unit.length * 6 + 12;
  const inner: Box = {
    x: frame.x + 10,
    y: frame.y + titleBar + 2,
    width: frame.width - 20,
    height: frame.height - titleBar - 12,
  };
  return [
    `<g><rect x="${frame.x}" y="${frame.y}" width="${frame.width}" height="${frame.height}" rx="2" fill="${ink.panel}" stroke="${ink.line}"/>`,
    sketchOf(panel, inner, frame),
    text(fitted(title, frame.width - 20 - unitRoom, 12.5), {
      x: frame.x + 10,
      y: frame.y + 19,
      size: 12.5,
      weight: 600,
      fill: ink.strong,
    }),
    unit === ''
      ? ''
      : text(unit, { x: frame.x + frame.width - 10, y: frame.y + 19, size: 11, anchor: 'end', fill: ink.weak }),
    '</g>',
  ].join('');
}

/** Units as people read them; those of plain counts are left out. */
function unitName(unit: string | undefined): string {
  const names: Readonly<Record<string, string>> = {
    none: '',
    short: '',
    s: 'seconds',
    bytes: 'bytes',
    reqps: 'requests/s',
    ops: '1/s',
    cps: '1/s',
    percentunit: '%',
  };
  return names[unit ?? 'none'] ?? unit ?? '';
}

function top({ y }: GridPos): number {
  return header + y * (rowHeight + gap);
}

function tall({ h }: GridPos): number {
  return h * (rowHeight + gap) - gap;
}
