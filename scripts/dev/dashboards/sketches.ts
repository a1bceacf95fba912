import type { FieldConfig, Panel, Threshold } from '@grafana/grafana-foundation-sdk/dashboard';
import { fitted, ink, numbersFrom, palette, round, text, toHex } from './svg.ts';

/** A part of the picture, in pixels. */
export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

type Sketch = (panel: Panel, inner: Box, frame: Box) => string;

const sketches: Readonly<Record<string, Sketch>> = { stat, timeseries, bargauge, table, 'state-timeline': timeline };

/** What a panel of its kind looks like on a good day. */
export function sketchOf(panel: Panel, inner: Box, frame: Box): string {
  const sketch = sketches[panel.type];
  if (sketch === undefined) throw new Error(`there is no sketch of a ${panel.type} panel ("${panel.title}")`);
  return sketch(panel, inner, frame);
}

function stat(panel: Panel, inner: Box, frame: Box): string {
  const { options, targets = [] } = panel;
  const parts = targets.length;
  const columns = parts > 1 ? 2 : 1;
  const rows = Math.ceil(parts / columns);
  const paintsBackground = options.colorMode === 'background';
  const color = toHex(goodColour(panel));
  const cells = targets.map((target, at) => {
    const wide = inner.width / columns;
    const high = inner.height / rows;
    const x = inner.x + (at % columns) * wide;
    const y = inner.y + Math.floor(at / columns) * high;
    const legend =
      parts > 1 ? fitted(String((target as { legendFormat?: string }).legendFormat ?? ''), wide - 8, 12) : '';
    const words = goodText(panel, at);
    const size = Math.floor(Math.min(parts > 1 ? 22 : 30, high * 0.5, (wide - 8) / (words.length * 0.58)));
    const middle = y + high / 2 + size * 0.3;
    return [
      text(words, {
        x: x + wide / 2,
        y: middle + (legend === '' ? 0 : 10),
        size,
        weight: 600,
        anchor: 'middle',
        fill: paintsBackground ? '#ffffff' : color,
      }),
      legend === ''
        ? ''
        : text(legend, { x: x + wide / 2, y: middle - size - 2, size: 12, anchor: 'middle', fill: ink.weak }),
    ].join('');
  });
  const background = paintsBackground
    ? `<rect x="${frame.x}" y="${frame.y}" width="${frame.width}" height="${frame.height}" rx="2" fill="${color}" fill-opacity="0.85"/>`
    : '';
  const spark = options.graphMode === 'area' ? sparkline(panel, inner, paintsBackground ? '#ffffff' : color) : '';
  return background + spark + cells.join('');
}

function sparkline(panel: Panel, inner: Box, color: string): string {
  const box = { ...inner, y: inner.y + inner.height * 0.55, height: inner.height * 0.45 };
  const points = wave(panel.title ?? '', box, 0.3, 0.25);
  return `<path d="${line(points)}L${box.x + box.width} ${box.y + box.height}L${box.x} ${box.y + box.height}Z" fill="${color}" fill-opacity="0.18"/>`;
}

function timeseries(panel: Panel, inner: Box): string {
  const names = seriesOf(panel);
  const legendHeight = Math.min(names.length, 3) * 15 + 4;
  const plot: Box = { x: inner.x + 4, y: inner.y + 4, width: inner.width - 8, height: inner.height - legendHeight - 8 };
  const isBars = panel.fieldConfig?.defaults.custom?.drawStyle === 'bars';
  const isEmpty = isBars;
  const isStacked = panel.fieldConfig?.defaults.custom?.stacking !== undefined;
  const fill = Number(panel.fieldConfig?.defaults.custom?.fillOpacity ?? 0) / 100;
  const drawn = names.map((name, at) => {
    if (isEmpty) return '';
    const color = colourOf(panel, name, at);
    const level = isStacked
      ? 0.3 + (0.45 * (names.length - at)) / names.length
      : 0.25 + (0.5 * (at + 1)) / (names.length + 1);
    const points = wave(`${panel.title} ${name}`, plot, 1 - level, 0.16);
    const area = `<path d="${line(points)}L${round(plot.x + plot.width)} ${round(plot.y + plot.height)}L${plot.x} ${round(plot.y + plot.height)}Z" fill="${color}" fill-opacity="${fill}"/>`;
    return `${area}<path d="${line(points)}" fill="none" stroke="${color}" stroke-width="1.5"/>`;
  });
  const legend = names.slice(0, 3).map((name, at) => {
    const y = inner.y + inner.height - legendHeight + 14 + at * 15;
    return `<rect x="${inner.x}" y="${round(y - 5)}" width="12" height="3" rx="1" fill="${colourOf(panel, name, at)}"/>${text(fitted(name, inner.width - 30, 11), { x: inner.x + 18, y, size: 11, fill: ink.weak })}`;
  });
  const quiet = isEmpty
    ? text('nothing on a good day', {
        x: plot.x + plot.width / 2,
        y: plot.y + plot.height / 2 + 4,
        size: 12,
        anchor: 'middle',
        fill: ink.weak,
      })
    : '';
  return grid(plot) + thresholdLines(panel, plot) + drawn.join('') + quiet + legend.join('');
}

function bargauge(panel: Panel, inner: Box): string {
  const numbers = numbersFrom(panel.title ?? '');
  const count = Math.min(6, Math.floor(inner.height / 30));
  const step = inner.height / count;
  return Array.from({ length: count }, (_, at) => {
    const part = round(0.08 + (1 - at / count) * 0.35 + numbers.next().value * 0.05);
    const y = inner.y + at * step;
    const x = inner.x + 110;
    const wide = inner.width - 170;
    return [
      text(`job_${at + 1}`, { x: inner.x + 100, y: y + step / 2 + 4, size: 11.5, anchor: 'end' }),
      `<rect x="${round(x)}" y="${round(y + 4)}" width="${round(wide)}" height="${round(step - 8)}" fill="${ink.grid}"/>`,
      `<rect x="${round(x)}" y="${round(y + 4)}" width="${round(wide * part)}" height="${round(step - 8)}" fill="${toHex('green')}" fill-opacity="0.75"/>`,
      text(`${Math.round(part * 60)} s`, {
        x: inner.x + inner.width,
        y: y + step / 2 + 4,
        size: 12,
        weight: 600,
        anchor: 'end',
        fill: toHex('green'),
      }),
    ].join('');
  }).join('');
}

function table(panel: Panel, inner: Box): string {
  const organized = panel.transformations?.find(({ id }) => id === 'organize');
  const titles = Object.values((organized?.options.renameByName ?? {}) as Record<string, string>);
  const wide = inner.width / titles.length;
  const rows = Math.floor((inner.height - 26) / 26);
  return [
    ...titles.map((title, at) =>
      text(fitted(title, wide - 8, 12), {
        x: inner.x + at * wide + 4,
        y: inner.y + 16,
        size: 12,
        weight: 600,
        fill: toHex('blue'),
      }),
    ),
    ...Array.from({ length: rows }, (_, row) => {
      const y = inner.y + 26 + row * 26;
      const numbers = numbersFrom(`${panel.title} ${row}`);
      const cells = titles.map((_title, at) => {
        const long = round((0.3 + numbers.next().value * 0.4) * Math.min(wide, 160));
        return `<rect x="${round(inner.x + at * wide + 4)}" y="${y + 9}" width="${long}" height="7" rx="3" fill="${ink.line}"/>`;
      });
      return `<path d="M${inner.x} ${y}h${inner.width}" stroke="${ink.grid}"/>${cells.join('')}`;
    }),
  ].join('');
}

function timeline(panel: Panel, inner: Box): string {
  const names = panel.title?.includes('Array')
    ? ['nas-1 md0', 'nas-1 md1', 'nas-2 md0', 'nas-2 md1']
    : ['prometheus', 'pushgateway', 'alertmanager', 'grafana'];
  const height = inner.height - 24;
  const step = height / names.length;
  const bands = names.map((name, at) => {
    const y = round(inner.y + at * step + 3);
    const tall = round(step - 6);
    const x = inner.x + 90;
    const wide = inner.width - 90;
    const fault =
      at === 1
        ? `<rect x="${round(x + wide * 0.58)}" y="${y}" width="${round(wide * 0.05)}" height="${tall}" fill="${toHex('red')}"/>`
        : '';
    return `${text(name, { x: x - 8, y: y + tall / 2 + 4, size: 11.5, anchor: 'end' })}<rect x="${x}" y="${y}" width="${wide}" height="${tall}" fill="${toHex('green')}" fill-opacity="0.75"/>${fault}`;
  });
  const legend = [
    ['green', 1],
    ['red', 0],
  ].map(([color, value], at) => {
    const x = inner.x + 90 + at * 80;
    const y = inner.y + inner.height - 4;
    return `<rect x="${x}" y="${round(y - 6)}" width="12" height="4" rx="1" fill="${toHex(String(color))}"/>${text(mapped(panel, String(value)) ?? '', { x: x + 18, y, size: 11, fill: ink.weak })}`;
  });
  return bands.join('') + legend.join('');
}

function grid(plot: Box): string {
  const lines = [0, 0.25, 0.5, 0.75, 1].map((part) => `M${plot.x} ${round(plot.y + plot.height * part)}h${plot.width}`);
  return `<path d="${lines.join('')}" stroke="${ink.grid}"/>`;
}

function thresholdLines(panel: Panel, plot: Box): string {
  if (panel.fieldConfig?.defaults.custom?.thresholdsStyle?.mode !== 'dashed') return '';
  const steps = (panel.fieldConfig.defaults.thresholds?.steps ?? []).filter(({ value }) => value !== null);
  return steps
    .map(({ color }, at) => {
      const y = round(plot.y + plot.height * (0.4 - (0.36 * (at + 1)) / steps.length));
      return `<path d="M${plot.x} ${y}h${plot.width}" stroke="${toHex(color)}" stroke-dasharray="6 5"/>`;
    })
    .join('');
}

/** The series a graph would have: the fixed legends, or for a legend of labels a few that its title suggests. */
function seriesOf(panel: Panel): readonly string[] {
  const legends = (panel.targets ?? []).map((target) =>
    String((target as { legendFormat?: string }).legendFormat ?? ''),
  );
  return legends.flatMap((legend) => {
    if (!legend.includes('{{')) return [legend];
    const examples = exampleValues[legend] ?? exampleValues[/\{\{(\w+)\}\}/.exec(legend)?.[0] ?? ''];
    return examples ?? [legend];
  });
}

const exampleValues: Readonly<Record<string, readonly string[]>> = {
  '{{code}}': ['200', '400'],
  '{{method}} {{code}}': ['post 200', 'put 200'],
  '{{method}}': ['post', 'put'],
  '{{job}}': ['prometheus', 'pushgateway', 'snmp'],
  '{{state}}': ['active', 'suppressed'],
  '{{status}}': ['firing', 'resolved'],
  '{{alertstate}}': ['firing', 'pending'],
  '{{integration}}': ['webhook', 'email'],
  '{{rule_group}}': ['pushgateway', 'targets'],
  '{{path}}': ['/pay', '/cart'],
  '{{slice}}': ['inner_eval', 'queue_time'],
  '{{instance}}': ['prometheus:9090'],
  '{{handler}}': ['delete', 'wipe'],
  '{{alertname}} {{alertstate}}': ['RaidBroken firing', 'ShopErrors pending'],
};

function colourOf(panel: Panel, name: string, at: number): string {
  const override = panel.fieldConfig?.overrides.find(({ matcher }) => matches(String(matcher.options), name));
  const fixed = override?.properties.find(({ id }) => id === 'color')?.value as { fixedColor?: string } | undefined;
  return fixed?.fixedColor === undefined ? (palette[at % palette.length] ?? ink.text) : toHex(fixed.fixedColor);
}

function matches(pattern: string, name: string): boolean {
  const [, expression] = /^\/(.*)\/$/.exec(pattern) ?? [];
  return expression === undefined ? pattern === name : new RegExp(expression).test(name);
}

/** The colour of a good day: the green step, or the only one. */
function goodColour(panel: Panel): string {
  const steps: readonly Threshold[] = panel.fieldConfig?.defaults.thresholds?.steps ?? [];
  return (steps.find(({ color }) => color === 'green') ?? steps[0])?.color ?? 'text';
}

/** What a number says on a good day. */
function goodText(panel: Panel, at: number): string {
  const defaults: FieldConfig = panel.fieldConfig?.defaults ?? {};
  if (panel.options.textMode === 'name') return '3f9a1c0b7e42';
  const good = (defaults.thresholds?.steps ?? []).find(({ color }) => color === 'green');
  const named = mapped(panel, String(good?.value ?? 0));
  if (named !== undefined) return named;
  const judged = (defaults.thresholds?.steps.length ?? 0) > 1;
  const examples: Readonly<Record<string, readonly string[]>> = {
    none: judged ? ['0'] : ['12', '3'],
    short: ['1.2 K'],
    percentunit: [good?.value === 1 ? '100%' : '0.2%'],
    s: ['12 s', '4 h', '2 days', '9 days'],
    bytes: ['84 MiB'],
  };
  const choices = examples[defaults.unit ?? 'none'] ?? ['1'];
  return choices[at % choices.length] ?? '1';
}

function mapped(panel: Panel, value: string): string | undefined {
  for (const mapping of panel.fieldConfig?.defaults.mappings ?? []) {
    const found = (mapping.options as Readonly<Record<string, { readonly text?: string } | undefined>>)[value];
    if (found?.text !== undefined) return found.text;
  }
  return undefined;
}

function wave(seed: string, box: Box, level: number, swing: number): readonly (readonly [number, number])[] {
  const numbers = numbersFrom(seed);
  const phase = numbers.next().value * Math.PI * 2;
  const steps = 48;
  return Array.from({ length: steps + 1 }, (_, at) => {
    const slow = Math.sin(phase + (at / steps) * Math.PI * 3) * swing * 0.6;
    const fast = (numbers.next().value - 0.5) * swing * 0.5;
    const part = Math.min(0.97, Math.max(0.03, level + slow + fast));
    return [round(box.x + (box.width * at) / steps), round(box.y + box.height * part)] as const;
  });
}

function line(points: readonly (readonly [number, number])[]): string {
  return points.map(([x, y], at) => `${at === 0 ? 'M' : 'L'}${x} ${y}`).join('');
}
