import { expect, it } from 'vitest';
import type { RenderedFile } from '../../../stack/model.ts';
import { alertTemplateChecks } from '../../../stack/prometheus/alert-templates.ts';

const rules = (path: string, template: string, isShipped?: true): RenderedFile => ({
  service: 'prometheus',
  path: `rules/${path}`,
  content: JSON.stringify({
    groups: [{ name: 'g', rules: [{ alert: 'A', expr: 'up == 0', annotations: { summary: template } }] }],
  }),
  mode: 0o444,
  origin: path,
  isShipped,
});

it('must sample the templates of the user, not those of shipped rules, which have tests of their own', () => {
  const shipped = rules('shipped.yml', '{{ query "up" }}', true);
  expect(alertTemplateChecks([shipped], [])).toEqual([]);
  const [check] = alertTemplateChecks([shipped, rules('user/own.yml', '{{ first (query "up") }}')], []);
  const texts = (check?.reads ?? []).map(({ content }) => String(content)).join('\n');
  expect(texts).toContain('first (query');
  expect(texts).not.toContain('{{ query');
});
