import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { parse } from 'yaml';
import { packageRoot } from '../../scripts/util/package-root.ts';
import { windowedCounters } from './promql.ts';

const templates = join(packageRoot(), 'templates');

/** Shipped files whose path below templates/ matches, by that path. */
export function shippedFiles(pattern: RegExp): Readonly<Record<string, string>> {
  const files = readdirSync(templates, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = files.map((entry) => relative(templates, join(entry.parentPath, entry.name)));
  const wanted = paths.filter((path) => pattern.test(path)).sort();
  return Object.fromEntries(wanted.map((path) => [path, readFileSync(join(templates, path), 'utf8')]));
}

/** Shipped rule files as Prometheus sees them: `rules/NAME.yml`. */
export const ruleFiles: Readonly<Record<string, string>> = renamed(
  shippedFiles(/^(?:exporters\/)?[^/]+\/contribute\/rules\/[^/]+\.yml$/),
  'rules',
);

/** Those of exporters and VictoriaMetrics, whose metrics the servers that each stack can have do not export. */
export const exporterRuleFiles: readonly string[] = Object.keys(
  renamed(shippedFiles(/^(?:exporters\/[^/]+|victoriametrics)\/contribute\/rules\/[^/]+\.yml$/), 'rules'),
);

/** Shipped rule unit tests, in the folder beside the rules: `tests/NAME.yml`. */
export const ruleTests: Readonly<Record<string, string>> = renamed(
  shippedFiles(/^(?:exporters\/)?[^/]+\/tests\/[^/]+\.yml$/),
  'tests',
);

function renamed(files: Readonly<Record<string, string>>, folder: string): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(files).map(([path, text]) => [`${folder}/${path.split('/').at(-1)}`, text]));
}

/** One shipped alert rule. */
export interface ShippedAlert {
  readonly file: string;
  readonly group: string;
  readonly alert: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

/** The counters of a rule that a single event makes fire: its window is longer than `for`. */
export function eventCounters({ expr, for: pending = '0s' }: ShippedAlert): ReturnType<typeof windowedCounters> {
  const pendingSeconds = [...pending.matchAll(/(\d+)([smhd])/g)].reduce(
    (sum, [, count, unit = 's']) => sum + Number(count) * ({ s: 1, m: 60, h: 3600, d: 86_400 }[unit] ?? 0),
    0,
  );
  return windowedCounters(expr).filter(({ window }) => window > pendingSeconds);
}

/** Every alert rule in a rule file. */
function alertsIn(file: string, text: string): readonly ShippedAlert[] {
  const { groups } = parse(text) as { groups: { name: string; rules: Omit<ShippedAlert, 'file' | 'group'>[] }[] };
  return groups.flatMap(({ name, rules }) =>
    rules.map((rule) => ({
      ...rule,
      labels: rule.labels ?? {},
      annotations: rule.annotations ?? {},
      file,
      group: name,
    })),
  );
}

/** Every shipped alert rule. */
export const shippedAlerts: readonly ShippedAlert[] = Object.entries(ruleFiles).flatMap(([file, text]) =>
  alertsIn(file, text),
);
