import { describe, expect, it } from 'vitest';
import { renderCase } from '../../golden/golden.ts';
import { exportOf, forms, type Json, objectsIn, stackOf, withFiles } from '../../support/kubernetes-export.ts';
import { problemsOf } from '../../support/kubernetes-objects.ts';

describe('the check of exported objects', () => {
  it.each([
    ['a duration that is none', 'for', 'soon', 'for must match pattern'],
    ['an unknown key', 'fro', '5m', 'unknown key'],
  ])('must refuse a rule with %s', async (_, key, value, message) => {
    const objects = structuredClone(objectsIn(await exportOf(await renderCase('everything'), false))) as Json[];
    const rule = objects.find(
      ({ kind, metadata }) => kind === 'PrometheusRule' && metadata.name === 'user-alerts-disk',
    );
    expect(problemsOf(rule)).toEqual([]);
    rule.spec.groups[0].rules[0][key] = value;
    expect(problemsOf(rule).join()).toContain(message);
  });

  it.each([
    ['label', 'labels', 'team', 'a b', 'value a b'],
    ['key of a label', 'labels', 'my team', 'a', 'key my team'],
    ['name', 'name', undefined, 'Prometheus_1', 'metadata.name Prometheus_1'],
    ['name of 64 characters', 'name', undefined, 'a'.repeat(64), 'metadata.name aaa'],
  ])('must refuse a wrong %s', async (_, field, key, value, message) => {
    const [, object] = structuredClone(objectsIn(await exportOf(await renderCase('minimal'), true))) as Json[];
    expect(problemsOf(object)).toEqual([]);
    if (key === undefined) object.metadata[field] = value;
    else object.metadata[field][key] = value;
    expect(problemsOf(object).join()).toContain(message);
  });
});

describe('what Kubernetes limits', () => {
  const long = 'x'.repeat(300);

  it.each(forms)('must keep names of 300 characters and odd labels within the limits, %s', async (_, isPlain) => {
    const job = `{job_name: "${long}", static_configs: [{targets: [a:1]}]}`;
    const other = `{job_name: "A b/ü", static_configs: [{targets: [a:1]}]}`;
    const labels = `{"my team": a, owner: "A & B", wide: "${long}", "app.kubernetes.io/name": mine, "": e}`;
    const stack = await stackOf(
      `name: 9_a-\nlabels: ${labels}\nprometheus: {scrape_configs: [${job}, ${other}]}\nexporters: {custom: {9q-: {image: "a:1", port: 1}}}\n`,
    );
    const groups = 'groups: [{name: g, rules: [{record: a, expr: "1"}]}]\n';
    const paths = {
      [`rules/user/${long}.yml`]: groups,
      'rules/user/a b.yml': groups,
      'rules/user/a_b.yml': groups,
      'rules/user/a.b.yml': groups,
    };
    const exported = await exportOf(withFiles(stack, 'prometheus', paths), isPlain);
    const objects = objectsIn(exported);
    expect(objects.flatMap(problemsOf)).toEqual([]);
    const named = exported.findings.filter(({ fate }) => fate !== 'taken').map(({ what }) => what);
    expect(named).toEqual(
      expect.arrayContaining([
        '9_a-',
        'labels.my team',
        'labels.owner',
        'labels.wide',
        'labels.app.kubernetes.io/name',
        'labels.',
      ]),
    );
    if (!isPlain) expect(named).toEqual(expect.arrayContaining([long, 'A b/ü', `user/${long}`, 'user/a b']));
    const pod: Json = objects.find(
      ({ kind, metadata }) => /^(?:Deployment|StatefulSet)$/.test(kind) && metadata.name === 'pushgateway',
    );
    expect(pod.spec.template.metadata.annotations).toMatchObject({ owner: 'A & B', wide: long });
    // The host of the exporter is no name of a Service, so that its target has the other name.
    const service = objects.find(({ kind, metadata }) => kind === 'Service' && metadata.name.startsWith('x-9q'))
      ?.metadata.name;
    expect(service).toBeDefined();
    expect(
      exported.files.some(
        ({ path, content }) => /scrapeconfig|configmap-prometheus/.test(path) && content.includes(`${service}:1`),
      ),
    ).toBe(true);
  });

  it.each(forms)('must split 5 MB of dashboards, %s', async (_, isPlain) => {
    const panels = (bytes: number, blank = '') =>
      JSON.stringify({ title: 'd', panels: Array(Math.ceil(bytes / 10)).fill('123456') }, undefined, blank);
    const paths = {
      ...Object.fromEntries(Array.from({ length: 50 }, (__, at) => [`dashboards/user/${at}.json`, panels(100_000)])),
      'dashboards/user/wide.json': panels(700_000, '          '),
      'dashboards/user/huge.json': panels(1_500_000),
    };
    const exported = await exportOf(withFiles(await stackOf('name: a\n'), 'grafana', paths), isPlain);
    const objects = objectsIn(exported);
    expect(objects.flatMap(problemsOf)).toEqual([]);
    const maps = objects.filter(
      ({ kind, metadata }) => kind === 'ConfigMap' && metadata.name.startsWith('grafana-dashboards'),
    );
    expect(maps.map(({ metadata }) => metadata.name)).toEqual(maps.map((__, at) => `grafana-dashboards-${at + 1}`));
    expect(maps.length).toBeGreaterThan(5);
    const keys = maps.flatMap(({ data }) => Object.keys(data as object));
    expect(keys.filter((key) => /^dashboards\.user\.\d+\.json$/.test(key)).length).toBe(50);
    expect(keys).toContain('dashboards.user.wide.json');
    const named = (what: string) => exported.findings.find((finding) => finding.what === what)?.fate;
    expect(named('files of grafana-dashboards')).toBe('changed');
    expect(named('grafana/dashboards/user/wide.json')).toBe('changed');
    expect(named('grafana/dashboards/user/huge.json')).toBe('left');
  });

  it('must split rules that are too large for one object', async () => {
    const rules = (name: string, count: number) => ({
      name,
      rules: Array.from({ length: count }, (_, at) => ({ record: `r${at}`, expr: 'x'.repeat(1000) })),
    });
    const content = JSON.stringify({
      groups: [rules('a', 400), rules('b', 400), rules('c', 400), rules('wide', 1500)],
    });
    const exported = await exportOf(
      withFiles(await stackOf('name: a\n'), 'prometheus', { 'rules/user/a.yml': content }),
      false,
    );
    const objects: Json[] = objectsIn(exported).filter(({ metadata }) => metadata.name.startsWith('user-a'));
    expect(objects.flatMap(problemsOf)).toEqual([]);
    expect(objects.map(({ metadata }) => metadata.name)).toEqual(objects.map((_, at) => `user-a-${at + 1}`));
    expect(objects.length).toBeGreaterThan(5);
    expect(objects.flatMap(({ spec }) => spec.groups.flatMap((group: Json) => group.rules)).length).toBe(2700);
  });
});
