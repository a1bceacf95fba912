import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { render } from '../../../scripts/render/render.ts';
import { loadTemplates } from '../../../scripts/render/templates.ts';
import { packageRoot } from '../../../scripts/util/package-root.ts';
import { stackSchema } from '../../../stack/config.ts';
import { exporters, metricsPages } from '../../../stack/exporters/exporters.ts';
import { shippedAlerts } from '../../support/shipped.ts';

const base = 'https://wiki.example.com/runbooks#';
const all = Object.fromEntries([...exporters, ...metricsPages].map(({ kind }) => [kind, {}]));

interface Alert {
  readonly alert?: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** The shipped rules, and the alerts that their tests expect, of a stack with all services and exporters. */
async function rendered(prometheus: object) {
  const config = stackSchema.parse({
    prometheus: { ...prometheus, resources: { memory: '1GB' } },
    access: { tls: 'internal' },
    exporters: all,
    long_term: { victoriametrics: {} },
    pushgateway: { group_sample_limit: 1000 },
    heartbeat: { url: 'https://hc.example.com/x' },
  });
  const loaded = { config, path: '/stack/stack.yml', folder: '/stack', locate: () => undefined, userFiles: [] };
  const rendering = render(loaded, await loadTemplates(undefined));
  if (!rendering.ok) throw new Error(JSON.stringify(rendering.error));
  const { services, tests } = rendering.value;
  // The heartbeat has nothing to look into: it always fires.
  const files = services
    .flatMap((service) => service.files)
    .filter(({ path }) => /^rules\/.*\.yml$/.test(path) && path !== 'rules/promstack-heartbeat.yml');
  const rules = files.flatMap(({ content }) => {
    const { groups } = parse(String(content)) as { groups: { rules: Alert[] }[] };
    return groups.flatMap((group) => group.rules).filter(({ alert }) => alert !== undefined);
  });
  const expectations = tests.flatMap(({ content }) => {
    const parsed = parse(String(content)) as {
      tests: { alert_rule_test: { alertname: string; exp_alerts: { exp_annotations: Record<string, string> }[] }[] }[];
    };
    return parsed.tests.flatMap((unit) =>
      unit.alert_rule_test.flatMap(({ alertname, exp_alerts: expected }) =>
        expected.map(({ exp_annotations: annotations }) => ({ alert: alertname, annotations })),
      ),
    );
  });
  return { rules, expectations };
}

test('every shipped alert must have its runbook_url, and its unit tests expect it', async () => {
  const { rules, expectations } = await rendered({ runbook_base: base });
  const names = (alerts: readonly Alert[]) => [...new Set(alerts.map(({ alert = '' }) => alert))].sort();
  expect(names(rules)).toEqual(names(shippedAlerts));
  expect(names(expectations)).toEqual(names(shippedAlerts));
  for (const { alert = '', annotations } of [...rules, ...expectations]) {
    expect(annotations?.['runbook_url'], alert).toBe(`${base}${alert.toLowerCase()}`);
  }
});

test('without a base no alert must have a runbook_url', async () => {
  const { rules, expectations } = await rendered({});
  expect(rules.length).toBeGreaterThan(80);
  for (const { annotations } of [...rules, ...expectations]) expect(annotations).not.toHaveProperty('runbook_url');
});

test('every shipped alert must have one section in docs/runbooks.md, with that anchor', () => {
  const page = readFileSync(join(packageRoot(), 'docs/runbooks.md'), 'utf8');
  const anchors = [...page.matchAll(/^### (\w+)$/gm)].map(([, heading = '']) => heading.toLowerCase());
  expect(anchors.sort()).toEqual([...new Set(shippedAlerts.map(({ alert }) => alert.toLowerCase()))].sort());
});
