import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { between, keyRows, withReferences } from '../../../scripts/dev/reference.ts';
import { packageRoot } from '../../../scripts/util/package-root.ts';

test('the references in README.md must be up to date: npm run generate writes them', async () => {
  const readme = readFileSync(join(packageRoot(), 'README.md'), 'utf8');
  expect(readme).toBe(await withReferences(readme));
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
