import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { packageRoot } from '../../scripts/util/package-root.ts';
import { problems as alertmanagerProblems } from '../../stack/alertmanager/problems.ts';
import { stackSchema } from '../../stack/config.ts';
import { problems as prometheusProblems } from '../../stack/prometheus/problems.ts';
import { services } from '../../stack/services.ts';

/** The names of one kind that the shipped templates contribute. */
function contributed(kind: string, name: string): readonly string[] {
  const templates = join(packageRoot(), 'templates');
  return services.flatMap((service) => {
    const path = join(templates, service.name, 'contribute', `${kind}.yml`);
    if (!existsSync(path)) return [];
    const items: Record<string, string>[] = parse(readFileSync(path, 'utf8'), { logLevel: 'error' });
    return items.map((item) => item[name] ?? '');
  });
}

test('the name of each contributed job must be reserved', () => {
  const names = contributed('scrapes', 'job_name');
  expect(names.length).toBeGreaterThan(0);
  const config = stackSchema.parse({ prometheus: { scrape_configs: names.map((job_name) => ({ job_name })) } });
  expect(
    prometheusProblems(config).map(({ path }) => config.prometheus.scrape_configs[Number(path[2])]?.job_name),
  ).toEqual(names);
});

test('the name of each contributed receiver must be usable in routes and reserved', () => {
  const names = contributed('receivers', 'name');
  expect(names.length).toBeGreaterThan(0);
  const route = { receiver: names[0], routes: names.map((receiver) => ({ receiver })) };
  const enabled = { sink: { enabled: true } };
  expect(alertmanagerProblems(stackSchema.parse({ ...enabled, alertmanager: { route } }))).toEqual([]);
  const receivers = names.map((name) => ({ name }));
  const taken = alertmanagerProblems(stackSchema.parse({ ...enabled, alertmanager: { route, receivers } }));
  expect(taken.map(({ code }) => code)).toEqual(names.map(() => 'name-twice'));
});
