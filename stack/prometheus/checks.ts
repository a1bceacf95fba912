import type { StackConfig } from '../config.ts';
import type { CheckCommand, RenderedFile } from '../model.ts';
import { Secret } from '../secret.ts';
import { explainPromtool } from './promtool-output.ts';
import { explainRuleTests } from './rule-test-output.ts';

/**
 * promtool reads prometheus.yml and, through it, every rule file; then it runs the tests of the rules. Tests of the
 * shipped rules read nothing but these, so a change of the person's own files does not make them run again.
 */
export function prometheusChecks(
  _config: StackConfig,
  files: readonly RenderedFile[],
  tests: readonly RenderedFile[],
): readonly CheckCommand[] {
  const config: CheckCommand = {
    title: 'prometheus.yml and its rules',
    tool: 'promtool',
    argv: ['promtool', 'check', 'config', 'CONFIG/prometheus.yml'],
    judgesAlone: (path) => path.startsWith('rules/'),
    explain: explainPromtool,
  };
  const isShipped = (file: RenderedFile): boolean => file.isShipped === true;
  const own = tests.filter((test) => !isShipped(test));
  const shipped = tests.filter(isShipped);
  const shippedRules = files.filter((file) => isShipped(file) && file.path.startsWith('rules/'));
  return [
    config,
    ...(own.length === 0 ? [] : [ruleTests('the tests of the rules', own, [...files, ...own])]),
    ...(shipped.length === 0
      ? []
      : [ruleTests('the tests of the shipped rules', shipped, [...shippedRules, ...shipped])]),
  ];
}

function ruleTests(title: string, tests: readonly RenderedFile[], reads: readonly RenderedFile[]): CheckCommand {
  const paths = tests.map((test) => test.path);
  return {
    title,
    tool: 'promtool',
    argv: ['promtool', 'test', 'rules', ...paths.map((path) => `CONFIG/${path}`)],
    reads,
    explain: (output) =>
      explainRuleTests(
        output,
        tests.map(({ path, content }) => ({ path, text: content instanceof Secret ? content.reveal() : content })),
      ),
  };
}
