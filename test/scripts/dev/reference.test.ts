import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { stackJsonSchema } from '../../../scripts/config/schema.ts';
import { nativeKeys } from '../../../scripts/dev/native-keys.ts';
import { between, commandsPage, keyRows, keysPage, withImages } from '../../../scripts/dev/reference.ts';
import { runbooksPage } from '../../../scripts/dev/runbooks.ts';
import { withDefaultTags } from '../../../scripts/dev/test-images.ts';
import { packageRoot } from '../../../scripts/util/package-root.ts';
import { stackSchema } from '../../../stack/config.ts';
import { enabledServices } from '../../../stack/services.ts';

const read = (path: string): string => readFileSync(join(packageRoot(), path), 'utf8');

test('generated pages must be up to date: npm run generate writes them', async () => {
  expect(read('docs/commands.md')).toBe(await commandsPage());
  expect(read('docs/keys.md')).toBe(keysPage());
  expect(read('docs/runbooks.md')).toBe(runbooksPage());
  expect(read('docs/install.md')).toBe(withImages(read('docs/install.md')));
  expect(read('README.md')).toBe(withDefaultTags(read('README.md')));
});

test('each key of stack.yml must have what it becomes', () => {
  const keys = keyRows(stackJsonSchema()).map(({ key }) => key);
  expect(keys.filter((key) => nativeKeys[key] === undefined)).toEqual([]);
});

test('the flags that keys become must be flags of their servers', () => {
  const config = stackSchema.parse({
    pushgateway: { admin_api: true },
    prometheus: { external_url: 'http://p', retention: { size: '1GB' } },
    alertmanager: { external_url: 'http://a' },
  });
  const agent = stackSchema.parse({ prometheus: { mode: 'agent' } });
  for (const service of enabledServices(config)) {
    const flags = Object.entries(nativeKeys).flatMap(([key, native]) =>
      key.startsWith(`${service.name}.`) ? (/^`(--[\w.-]+)`$/.exec(native)?.[1] ?? []) : [],
    );
    const args = [config, agent].flatMap((stack) => service.container(stack).args);
    const given = args.map((argument) => argument.replace(/=.*/, ''));
    expect(given, service.name).toEqual(expect.arrayContaining(flags));
  }
});

test('a key must be described with its type, its default and its purpose', () => {
  const rows = keyRows({
    properties: {
      name: { type: ['string', 'null'], default: 'demo', description: 'Names it' },
      source: { type: ['string', 'null'], enum: ['registry', 'auto', null], default: 'auto' },
      bind: { anyOf: [{ type: 'string' }, { type: 'string' }, { type: 'null' }] },
      secret: { title: 'string or `!env`', description: 'Hidden' },
      section: {
        type: ['object', 'null'],
        additionalProperties: false,
        properties: {
          port: { type: 'integer', default: 9090 },
          rules: { type: 'array', items: { type: 'string' }, default: [] },
        },
      },
      native: { type: 'object', additionalProperties: {}, properties: { inner: { type: 'string' } } },
    },
  });
  expect(rows).toEqual([
    { key: 'name', type: 'string', default: 'demo', what: 'Names it' },
    { key: 'source', type: 'registry, auto', default: 'auto', what: '' },
    { key: 'bind', type: 'string', default: '', what: '' },
    { key: 'secret', type: 'string or `!env`', default: '', what: 'Hidden' },
    { key: 'section.port', type: 'integer', default: '9090', what: '' },
    { key: 'section.rules', type: 'list of strings', default: 'none', what: '' },
    { key: 'native', type: 'mapping', default: '', what: '' },
  ]);
});

test('generated text must be between its markers and nowhere else', () => {
  const document = 'before\n<!-- a:begin (by hand? no) -->\nold\n<!-- a:end -->\nafter\n';
  const once = between(document, 'a', 'new');
  expect(once).toBe('before\n<!-- a:begin (by hand? no) -->\n\nnew\n\n<!-- a:end -->\nafter\n');
  expect(between(once, 'a', 'new')).toBe(once);
  expect(() => between(document, 'b', 'new')).toThrow('the markers b:begin and b:end are missing');
});
