import { expect, test } from 'vitest';
import { checkMarkdown, differenceMarkdown } from '../../../../scripts/cli/print/markdown.ts';
import type { ComparedPlan } from '../../../../scripts/inspect/compare-stacks.ts';
import { compareRenderings } from '../../../../scripts/plan/compare.ts';
import type { Rendering } from '../../../../scripts/render/rendering.ts';
import { renderingOf } from '../../../support/own-tests.ts';

const stack = (receiver: string, more = ''): string =>
  `name: shop\ngrafana: {enabled: false}\nprometheus: {rules: ['rules/*.yml']${more}}
alertmanager: {receivers: [{name: a}, {name: "b|c"}], route: {receiver: "${receiver}"}}\n`;
const rules = (hold: string) => ({
  'rules/a.yml': `groups: [{name: g, rules: [{alert: Down, expr: up == 0, for: ${hold}, annotations: {text: "\`\`\`"}}]}]\n`,
});

function compared(before: Rendering | undefined, after: Rendering): ComparedPlan {
  const difference = compareRenderings(before, after);
  const plan = { stack: 'shop', revision: after.revision, changes: difference.changes, steps: [] };
  return { ...difference, plan, renamed: undefined, isNew: before === undefined, unknownSecrets: [] };
}

test('a difference in Markdown must have tables of what it means, and the diff in a fence that no file ends', async () => {
  const before = await renderingOf({ stack: stack('a'), rules: rules('5m') });
  const after = await renderingOf({ stack: stack('b|c', ', retention: {time: 5d}'), rules: rules('2m') });
  const text = differenceMarkdown(compared(before, after), 'main -> <b>shop</b>');
  expect(text).toContain('### promstack: main -\\> &lt;b\\>shop&lt;/b\\>\n\n2 services to change, 1 unchanged.\n');
  expect(text).toContain('⚠️ samples older than 5d are deleted (retention was 15d) |');
  expect(text).toContain('| changed | `Down` | for 5m -\\> 2m |\n');
  expect(text).toContain('| routed differently | `Down` | a -\\> b\\|c |\n');
  const [, fence = ''] = /\n(`+)diff\n/.exec(text) ?? [];
  expect(fence).toBe('````');
  expect(text.endsWith('````\n\n</details>\n')).toBe(true);
});

test('a large difference in Markdown must fit into a comment, and say that it is cut', async () => {
  const many = Array.from({ length: 3_000 }, (_, at) => `{alert: A${at}, expr: up == 0}`).join(',\n  ');
  const before = await renderingOf({
    stack: stack('a'),
    rules: { 'rules/a.yml': `groups: [{name: g, rules: [\n  ${many}]}]` },
  });
  const after = await renderingOf({
    stack: stack('a'),
    rules: { 'rules/a.yml': `groups: [{name: g, rules: [\n  ${many.replaceAll('== 0', '== 1')}]}]` },
  });
  const text = differenceMarkdown(compared(before, after), 'a -> b');
  expect(text).toContain('… and 2950 more.');
  expect(text).toContain('<summary>1 file changed, of which the first are shown</summary>');
  expect(text.length).toBeLessThan(65_536);
});

test('a new stack in Markdown must not list each alert', async () => {
  const after = await renderingOf({ stack: stack('a'), rules: rules('5m') });
  const text = differenceMarkdown(compared(undefined, after), 'main -> shop');
  expect(text).toMatch(/\n\d+ alerts, all new\.\n/);
  expect(text).toContain('| `prometheus` | create | it is new: ');
});

test.each<[string, string, string]>([
  ['pipes and backticks', 'a|b``c`d|', '``` a\\|b``c`d\\| ```'],
  ['HTML', '<img src=x onerror=alert(1)>&lt;b&gt;', '`<img src=x onerror=alert(1)>&lt;b&gt;`'],
  ['line breaks', 'a\r| b |\n# c\r\nd', '`a \\| b \\| # c  d`'],
])('%s in the names of files must stay in their cell', (_, file, cell) => {
  const problem = { severity: 'error' as const, code: 'x', message: file };
  const where = { file, line: 1, column: 1, length: 1, offset: 0 };
  const [row = '', ...more] = checkMarkdown(file, [{ ...problem, where }], ({ severity }) => severity)
    .split(/\r\n?|\n/)
    .slice(6);
  expect(more).toEqual(['']);
  expect(row).toContain(`| ${cell.replace(/( ```|`)$/, ':1$1')} |`);
  // The message is no code: nothing in it may be markup.
  const message = row.slice(row.lastIndexOf(' | ') + 3, -2).replaceAll('<br>', '');
  expect(message).not.toMatch(/[<\r\n]|(?<!\\)[|`#*_[]|&(?!lt;|amp;)/);
});

test('long texts in Markdown must fit into a comment', () => {
  const problem = { severity: 'error' as const, code: 'x', message: 'x'.repeat(5_000) };
  const text = checkMarkdown('40 problems', Array(40).fill(problem), ({ severity }) => severity);
  expect(text.length).toBeLessThan(65_536);
  expect(text).toContain('… and more than fits here.');
});
