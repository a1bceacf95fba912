import type { StackConfig } from '../config.ts';
import type { CheckCommand, RenderedFile } from '../model.ts';
import { explainPromtool } from './promtool-output.ts';
import { explainRuleTests } from './rule-test-output.ts';

/** promtool reads prometheus.yml and, through it, every rule file; then it runs the tests of the rules. */
export function prometheusChecks(
  _config: StackConfig,
  _files: readonly RenderedFile[],
  tests: readonly RenderedFile[],
): readonly CheckCommand[] {
  const config: CheckCommand = {
    title: 'prometheus.yml and its rules',
    tool: 'promtool',
    argv: ['promtool', 'check', 'config', 'CONFIG/prometheus.yml'],
    explain: explainPromtool,
  };
  if (tests.length === 0) return [config];
  const paths = tests.map((test) => test.path);
  return [
    config,
    {
      title: 'the tests of the rules',
      tool: 'promtool',
      argv: ['promtool', 'test', 'rules', ...paths.map((path) => `CONFIG/${path}`)],
      with: tests,
      explain: (output) => explainRuleTests(output, paths),
    },
  ];
}
