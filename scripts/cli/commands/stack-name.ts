import type { StackConfig } from '../../../stack/config.ts';
import { misuse } from '../../util/misuse.ts';
import { InputError, StackError } from '../../util/stack-error.ts';
import type { Context } from '../context.ts';

/** Which stack a command that needs no stack.yml is about: the one that is named, else the one of stack.yml as `read` has it. */
export async function configOf(
  context: Context,
  name: string | undefined,
  read: (context: Context) => Promise<StackConfig>,
): Promise<StackConfig> {
  if (name !== undefined) {
    const { stackSchema } = await import('../../../stack/config.ts');
    return stackSchema.parse({ name: await readStackName(name) });
  }
  try {
    return await read(context);
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

/** A stack's name from the command line; an InputError when no stack can have it. */
export async function readStackName(name: string): Promise<string> {
  const { stackSchema } = await import('../../../stack/config.ts');
  const checked = stackSchema.shape.name.safeParse(name);
  if (checked.success) return name;
  throw new InputError(checked.error.issues.map(({ message }) => misuse(`--name ${name}: ${message}`)));
}
