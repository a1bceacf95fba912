import type { StackConfig } from '../../../stack/config.ts';
import { misuse } from '../../util/misuse.ts';
import { InputError } from '../../util/stack-error.ts';

/** An InputError when the stack has no Alertmanager to ask. */
export function mustHaveAlertmanager(config: StackConfig): void {
  if (config.alertmanager.enabled) return;
  throw new InputError([misuse('this stack has no Alertmanager', 'enable alertmanager in stack.yml')]);
}
