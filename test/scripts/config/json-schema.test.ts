import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import * as z from 'zod';
import { knownKeys, stackJsonSchema, stackJsonSchemaText } from '../../../scripts/config/schema.ts';
import { validate } from '../../../scripts/config/validate.ts';
import { stackInputType } from '../../../scripts/dev/stack-input.ts';
import { packageRoot } from '../../../scripts/util/package-root.ts';
import { stackSchema } from '../../../stack/config.ts';

test('the committed JSON Schema must be up to date (npm run generate writes it)', () => {
  expect(readFileSync(join(packageRoot(), 'templates/init/stack.schema.json'), 'utf8')).toBe(stackJsonSchemaText());
});

test('the committed type of stack.yml must be up to date (npm run generate writes it)', async () => {
  expect(readFileSync(join(packageRoot(), 'scripts/library/stack-input.ts'), 'utf8')).toBe(await stackInputType());
});

test('every key must have a description for the reference and for editors', () => {
  const schema = stackJsonSchema();
  const silent = knownKeys(stackSchema)
    .map(({ path }) => path)
    .filter((path) => describedAt(schema, path) === undefined)
    .map((path) => path.join('.'));
  expect(silent).toEqual([]);
});

function describedAt(schema: unknown, path: readonly string[]): unknown {
  const [step, ...rest] = path;
  interface Schema {
    readonly description?: string;
    readonly properties?: Readonly<Record<string, unknown>>;
    readonly items?: unknown;
    readonly anyOf?: readonly Schema[];
  }
  const at = schema as Schema;
  if (step === undefined) return at.description;
  const section = at.properties === undefined ? at.anyOf?.find(({ properties }) => properties !== undefined) : at;
  return describedAt(step === '[]' ? at.items : section?.properties?.[step], rest);
}

describe('the JSON Schema and the loader must agree on', () => {
  const bySchema = z.fromJSONSchema(stackJsonSchema() as Parameters<typeof z.fromJSONSchema>[0]);

  test.each([
    '{}',
    'prometheus:\ngrafana: {enabled:}\nlabels:\n',
    'x-mine: {a: 1}',
    'name: demo-1_x\nbind: "::1"\ntimezone: Asia/Shanghai',
    'prometheus: {scrape_interval: 1h30m, retention: {time: 0, size: 512MB}}'.replace('time: 0', 'time: "0"'),
    'prometheus: {scrape_configs: [{job_name: a, anything: {goes: here}}], remote_write: [{url: x}]}',
    'alertmanager: {route: {receiver: x}, receivers: [{name: x, webhook_configs: []}]}',
    'prometheus: {retention: {size: 1.5GiB}, resources: {memory: 536870912}}',
    'sink: {resources: {memory: 512Mi}}',
    'images: {source: auto, mirror: mirror.example.com}',
    `grafana: {image: "grafana/grafana@sha256:${'a'.repeat(64)}"}`,
  ])('%s, which is valid', (text) => {
    expect(validate(parse(text)).problems).toEqual([]);
    expect(bySchema.safeParse(parse(text)).error?.issues).toBeUndefined();
  });

  const values = [
    '1',
    '1.5',
    '0',
    '-1',
    'true',
    'False',
    '"1"',
    '" 1"',
    '"true"',
    '"0x10"',
    '1e3',
    '010',
    'x',
    'x:1',
    '5m',
    '"0s"',
  ];
  const more = [
    '512MB',
    '512',
    '50',
    '127.0.0.1',
    '[]',
    '[x]',
    '[1, true]',
    '{}',
    '{a: 1}',
    '{a: true, b: x}',
    '~',
    '2026-01-01',
  ];
  const nested = (path: readonly string[], value: string): string =>
    path.reduceRight((inner, step) => (step === '[]' ? `[${inner}]` : `{${step}: ${inner}}`), value);
  const keys = knownKeys(stackSchema).map(({ path }) => path);

  test.each(keys.map((path) => [path.join('.'), path] as const))('%s, whatever type its value has', (_, path) => {
    const refused = [...values, ...more].filter((value) => {
      const raw: unknown = parse(nested(path, value));
      return validate(raw).problems.length === 0 && !bySchema.safeParse(raw).success;
    });
    expect(refused).toEqual([]);
  });

  const goldens = readdirSync(join(packageRoot(), 'test/golden'), { withFileTypes: true }).filter((entry) =>
    entry.isDirectory(),
  );
  test.each(['stack/demo', ...goldens.map(({ name }) => `test/golden/${name}`)])('the stack.yml in %s', (folder) => {
    const text = readFileSync(join(packageRoot(), folder, 'stack.yml'), 'utf8');
    expect(bySchema.safeParse(parse(text, { logLevel: 'silent' })).error?.issues).toBeUndefined();
  });

  test.each([
    '[]',
    'nam: demo',
    'name: My Stack',
    'bind: localhost',
    'prometheus: {port: 0}',
    'prometheus: {port: 70000}',
    'prometheus: {port: 90.5}',
    'prometheus: {port: "x"}',
    'prometheus: {scrape_interval: 15}',
    'prometheus: {scrape_interval: 15 s}',
    'prometheus: {scrape_interval: ""}',
    'prometheus: {scrape_interval: 5s5m}',
    'prometheus: {retention: {size: 20 GiB}}',
    'prometheus: {retention: {sizes: 20GB}}',
    'prometheus: {rules: a.yml}',
    'prometheus: {rules: [""]}',
    'prometheus: {scrape_configs: [{}]}',
    'prometheus: {image: prom/prometheus}',
    'prometheus: {resources: {cpus: 0}}',
    'prometheus: {resources: {memory: 512x}}',
    'prometheus: {resources: {memory: [1]}}',
    'images: {source: nowhere}',
    'labels: {a: [b]}',
  ])('%s, which is invalid', (text) => {
    expect(validate(parse(text)).problems).not.toEqual([]);
    expect(bySchema.safeParse(parse(text)).success).toBe(false);
  });
});
