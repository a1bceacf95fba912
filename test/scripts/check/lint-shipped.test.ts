import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { isMap, isSeq, parseDocument } from 'yaml';
import { lintRendering, noteRendering } from '../../../scripts/check/lint.ts';
import { packageRoot } from '../../../scripts/util/package-root.ts';
import { printed, renderingOf } from '../../support/own-tests.ts';
import { ruleFiles } from '../../support/shipped.ts';

const read = (path: string): string => readFileSync(join(packageRoot(), path), 'utf8');

describe('lints of shipped files', () => {
  it('must not warn about the demo', async () => {
    const rendering = await renderingOf({
      stack: read('stack/demo/stack.yml'),
      rules: { 'rules/demo.yml': read('stack/demo/rules/demo.yml') },
    });
    expect(printed(lintRendering(rendering))).toEqual([]);
  });

  it('must not warn about the shipped rules, even if they were user rules', async () => {
    const own = Object.fromEntries(
      Object.entries(ruleFiles).map(([path, text]) => [path.replace('rules/', 'mine/'), text]),
    );
    const rendering = await renderingOf({ stack: 'pushgateway: {enabled: true}\n', rules: own });
    expect(printed(lintRendering(rendering))).toEqual([]);
  });

  it('must not warn about the stack.yml of init, with the receivers of its routes', async () => {
    const uncommented = read('templates/init/full.yml')
      .replaceAll(/^( *)#(?=[^\s#])/gm, '$1')
      .replaceAll(/!env \w+/g, 'a-secret # promstack: ignore plain-secret')
      .replaceAll('!file ', '');
    const document = parseDocument(uncommented, { logLevel: 'error' });
    document.deleteIn(['prometheus', 'rules']);
    document.deleteIn(['alertmanager', 'templates']);
    const receivers = document.getIn(['alertmanager', 'receivers']);
    if (!isSeq(receivers)) throw new Error('there are receivers');
    const routed = new Set([...uncommented.matchAll(/^ +(?:- )?receiver: (\S+)/gm)].map(([, name]) => name));
    receivers.items = receivers.items.filter((item) => isMap(item) && routed.has(String(item.get('name'))));
    expect(receivers.items.length).toBeGreaterThan(1);
    expect(printed(lintRendering(await renderingOf({ stack: document.toString() })))).toEqual([]);
  });
});

describe('a stack that notifies nobody', () => {
  const notesOf = async (stack: string) => printed(noteRendering(await renderingOf({ stack })));
  const note = expect.stringMatching(/^note nobody-notified \S+ no receiver notifies anybody/);

  it.each([
    '{}',
    'alertmanager: {receivers: [{name: a}], route: {receiver: a}}',
    'alertmanager:\n  receivers: [{name: a, webhook_configs: []}]\n  route: {receiver: a}',
  ])('must be noted: %s', async (stack) => {
    expect(await notesOf(stack)).toEqual([note]);
  });

  it.each([
    'sink: {enabled: true}',
    'alertmanager: {enabled: false}',
    'alertmanager:\n  receivers: [{name: a, webhook_configs: [{url: "http://x"}]}]\n  route: {receiver: a}',
  ])('must not be noted where somebody is notified: %s', async (stack) => {
    expect(await notesOf(stack)).not.toContainEqual(note);
  });
});
