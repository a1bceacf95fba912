import type { StackConfig } from '../config.ts';
import type { CheckCommand, CheckFinding, RenderedFile } from '../model.ts';

/** amtool reads alertmanager.yml and its template files. */
export function alertmanagerChecks(_config: StackConfig, _files: readonly RenderedFile[]): readonly CheckCommand[] {
  return [
    {
      title: 'alertmanager.yml and its templates',
      tool: 'amtool',
      argv: ['amtool', 'check-config', 'CONFIG/alertmanager.yml'],
      explain: explainAmtool,
    },
  ];
}

/** The problem amtool printed, without its progress lines. */
export function explainAmtool(output: string): readonly CheckFinding[] {
  return [{ message: output.trim() }];
}
