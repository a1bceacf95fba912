import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkRendering } from '../../scripts/check/check.ts';
import { containerRunner } from '../../scripts/check/container-runner.ts';
import type { FindImage, OpenRunner } from '../../scripts/check/runner.ts';
import { connect } from '../../scripts/engine/connect.ts';
import type { Engine } from '../../scripts/engine/engine.ts';
import { ensureImages } from '../../scripts/engine/images/ensure.ts';
import { roleLabel, stackLabel } from '../../scripts/engine/labels.ts';
import { render } from '../../scripts/render/render.ts';
import type { Rendering } from '../../scripts/render/rendering.ts';
import { loadTemplates } from '../../scripts/render/templates.ts';
import { stackSchema } from '../../stack/config.ts';
import type { RenderedFile } from '../../stack/model.ts';
import { cases, renderCase } from '../golden/golden.ts';
import { loadedFrom } from '../support/loaded.ts';

const stack = `test-check-${process.pid}`;
let engine: Engine;
let findImage: FindImage;
let open: OpenRunner;

beforeAll(async () => {
  engine = await connect({ env: process.env });
  const config = stackSchema.parse({ images: { source: 'auto' } });
  const required = [config.prometheus, config.alertmanager].map(({ image }) => ({ service: image, reference: image }));
  const outcomes = await ensureImages(engine, required, config.images, () => {}, AbortSignal.timeout(240_000));
  findImage = async (reference) => {
    const had = outcomes.find((one) => one.reference === reference);
    return had?.kind === 'available' ? { ref: had.ref, id: had.imageId } : undefined;
  };
  open = containerRunner(engine, stack, findImage, async (job) => {
    throw new Error(`the image of ${job.service} was not found`);
  });
});

afterAll(async () => {
  const left = await engine.listContainers({ [stackLabel]: stack, [roleLabel]: 'check' });
  for (const one of left) await engine.removeContainer(one.id);
  await engine[Symbol.asyncDispose]();
  expect(left.map(({ name }) => name)).toEqual([]);
});

/** The tools' findings for a rendering, as `location message` lines. */
async function judged(rendering: Rendering): Promise<readonly string[]> {
  const found = await checkRendering(rendering, open, () => {}, AbortSignal.timeout(120_000));
  return found.map(({ where, message }) =>
    where === undefined ? message : `${where.file}:${where.line}:${where.column} ${message}`,
  );
}

describe('every golden stack', () => {
  it.each(cases)('must be accepted by promtool and amtool, and pass its tests: %s', async (name) => {
    const rendering = await renderCase(name);
    // The tests of the shipped rules have their own test, and take long.
    const tests = rendering.tests.filter((test) => test.isShipped !== true);
    // The images of the others are those of their own scenarios.
    const services = rendering.services.filter(({ service }) => ['prometheus', 'alertmanager'].includes(service.name));
    expect(await judged({ ...rendering, services, tests })).toEqual([]);
  });
});

describe('findings of the tools must be reported at their positions', () => {
  const good = `global:
  scrape_interval: 15s
rule_files: [rules/*.yml]
`;
  const rules = (text: string) => ({ 'prometheus.yml': good, 'rules/a.yml': text });
  const alert = (more: string) => `groups:\n  - name: g\n    rules:\n      - alert: A\n${more}`;

  it.each<[string, Record<string, string>, readonly string[]]>([
    [
      'invalid YAML',
      { 'prometheus.yml': 'global:\n  a: b\n c: d\n' },
      ['prometheus.yml:2:3 promtool: did not find expected key'],
    ],
    [
      'unknown fields, all of them',
      { 'prometheus.yml': 'global:\n  foo: 1\n  bar: 2\n' },
      ['prometheus.yml:2:3 promtool: unknown key "foo"', 'prometheus.yml:3:3 promtool: unknown key "bar"'],
    ],
    [
      'a value of another kind',
      { 'prometheus.yml': 'scrape_configs:\n  - job_name: a\n    relabel_configs: x\n' },
      ['prometheus.yml:3:22 promtool: expected a list, got a string (x)'],
    ],
    [
      'a bad regular expression',
      {
        'prometheus.yml':
          'scrape_configs:\n  - job_name: a\n    relabel_configs:\n      - {regex: "(foo", source_labels: [a], target_label: b}\n',
      },
      ['prometheus.yml:4:17 promtool: job a: invalid regular expression (foo: missing closing )'],
    ],
    [
      'an invalid duration',
      { 'prometheus.yml': 'global:\n  scrape_interval: 15 seconds\n' },
      ['prometheus.yml:2:20 promtool: unknown unit " seconds" in duration "15 seconds"'],
    ],
    [
      'a rule file that is not there',
      { 'prometheus.yml': 'rule_files:\n  - rules/no.yml\n' },
      ['prometheus.yml:2:5 promtool: "rules/no.yml" does not point to an existing file'],
    ],
    [
      'two groups of one name',
      rules('groups:\n  - name: g\n    rules: []\n  - name: g\n    rules: []\n'),
      ['rules/a.yml:4:11 promtool: there are two groups named g in one file'],
    ],
    [
      'PromQL that cannot be parsed',
      rules(alert('        expr: up == (\n')),
      ['rules/a.yml:5:15 promtool: rule A of group g: at 1:8 of the expression: unclosed left parenthesis'],
    ],
    [
      'an unknown key of a rule',
      rules(alert('        expr: up\n        fro: 5m\n')),
      ['rules/a.yml:6:9 promtool: unknown key "fro"'],
    ],
    [
      'a template in an annotation',
      rules(alert('        expr: up\n        annotations:\n          summary: "{{ foo }}"\n')),
      [
        'rules/a.yml:7:20 promtool: rule A of group g: annotation "summary": template: __alert_A:1: function "foo" not defined',
      ],
    ],
    ['a rule file that holds no rules', rules('hello: 1\n'), ['rules/a.yml:1:1 promtool: unknown key "hello"']],
  ])('promtool: %s', async (_what, files, expected) => {
    expect(await judged(await withFiles('prometheus', files))).toEqual(expected);
  });

  it('promtool: a failing rule test', async () => {
    const test = `rule_files: [../rules/a.yml]
tests:
  - name: one is down
    interval: 1m
    input_series: [{series: 'up{instance="a"}', values: '0x5'}]
    alert_rule_test:
      - eval_time: 1m
        alertname: A
        exp_alerts: [{exp_labels: {severity: page}}]
`;
    const files = rules(alert('        expr: up == 0\n'));
    expect(await judged(await withFiles('prometheus', files, { 'tests/a.yml': test }))).toEqual([
      'tests/a.yml:8:9 promtool: one is down: at 1m the alert A should fire as {alertname="A", severity="page"}, but it fires as {alertname="A", instance="a"}',
    ]);
  });

  it.each<[string, Record<string, string>, readonly string[]]>([
    [
      'invalid YAML',
      { 'alertmanager.yml': 'route: {receiver: a\nreceivers: []\n' },
      ["alertmanager.yml:1:1 amtool: did not find expected ',' or '}'"],
    ],
    [
      'unknown fields, all of them',
      { 'alertmanager.yml': 'route: {receiver: a}\nreceivers: [{name: a}]\nfoo: 1\nroutes: 2\n' },
      ['alertmanager.yml:3:1 amtool: unknown key "foo"', 'alertmanager.yml:4:1 amtool: unknown key "routes"'],
    ],
    [
      'a receiver that is not there',
      { 'alertmanager.yml': 'route:\n  receiver: b\nreceivers: [{name: a}]\n' },
      ['alertmanager.yml:2:13 amtool: undefined receiver "b" used in route'],
    ],
    [
      'a bad matcher',
      { 'alertmanager.yml': 'route:\n  receiver: a\n  routes:\n    - matchers: ["who?"]\nreceivers: [{name: a}]\n' },
      ['alertmanager.yml:4:18 amtool: bad matcher format: who?'],
    ],
    [
      'a bad regular expression in a matcher',
      { 'alertmanager.yml': 'route:\n  receiver: a\n  routes:\n    - matchers: ["a=~(b"]\nreceivers: [{name: a}]\n' },
      ['alertmanager.yml:4:18 amtool: invalid regular expression (b: missing closing )'],
    ],
    [
      'an invalid template',
      {
        'alertmanager.yml': 'route: {receiver: a}\nreceivers: [{name: a}]\ntemplates: [templates/*.tmpl]\n',
        'templates/own.tmpl': '{{ define "x" }}\n{{ foo }}{{ end }}\n',
      },
      ['templates/own.tmpl:2:1 amtool: function "foo" not defined'],
    ],
  ])('amtool: %s', async (_what, files, expected) => {
    expect(await judged(await withFiles('alertmanager', files))).toEqual(expected);
  });
});

describe('findings of the tools in values of stack.yml', () => {
  const job = (rest: string) => `name: test\nprometheus:\n  scrape_configs:\n    - job_name: a\n${rest}`;

  it.each<[string, string, string]>([
    [
      'a field deep inside a job',
      job('      static_configs:\n        - targets: [x]\n          labls: {a: b}\n'),
      'stack.yml:7:11 promtool: unknown key "labls"',
    ],
    [
      'a word that has no meaning',
      job('      relabel_configs:\n        - {target_label: x, action: throw}\n'),
      'stack.yml:6:37 promtool: job a: unknown relabel action "throw"',
    ],
    [
      'a receiver',
      'alertmanager:\n  route: {receiver: a}\n  receivers:\n    - name: a\n      webhook_configs:\n        - {url: "http://a", urll: b}\n',
      'stack.yml:6:29 amtool: unknown key "urll"',
    ],
  ])('must be reported at their positions in stack.yml: %s', async (_what, text, expected) => {
    const result = render(loadedFrom(text), await loadTemplates(undefined));
    if (!result.ok) throw new Error(JSON.stringify(result.error));
    expect(await judged({ ...result.value, tests: [] })).toEqual([expected]);
  });
});

/** A rendering of one service with these files instead of its own. */
async function withFiles(
  service: string,
  files: Readonly<Record<string, string>>,
  tests: Readonly<Record<string, string>> = {},
): Promise<Rendering> {
  const toFiles = (all: Readonly<Record<string, string>>): RenderedFile[] =>
    Object.entries(all).map(([path, content]) => ({
      service,
      path,
      content,
      mode: 0o444,
      origin: path,
      isVerbatim: true,
    }));
  const minimal = await renderCase('minimal');
  const one = minimal.services.filter((other) => other.service.name === service);
  return { ...minimal, services: one.map((each) => ({ ...each, files: toFiles(files) })), tests: toFiles(tests) };
}
