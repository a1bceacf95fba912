import type { StackConfig } from '../../stack/config.ts';
import type { Context } from '../cli/context.ts';
import { InputError, StackError } from '../util/stack-error.ts';
import { loadOrThrow } from './stages.ts';

/** Which stack a command that needs no stack.yml is about: the one that is named, else the one of stack.yml. */
export async function configOf(context: Context, name: string | undefined): Promise<StackConfig> {
  if (name !== undefined) {
    const { stackSchema } = await import('../../stack/config.ts');
    return stackSchema.parse({ name });
  }
  try {
    return (await loadOrThrow(context)).config;
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    throw new StackError({
      doing: 'finding out which stack is meant',
      why: `stack.yml does not tell: ${error.diagnostics[0]?.message ?? 'it cannot be read'}`,
      tryThis: 'name the stack: --name STACK',
      cause: error,
    });
  }
}
