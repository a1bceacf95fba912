import type { OtherOriginError } from '../../plan/origin.ts';
import { InputError } from '../../util/stack-error.ts';
import type { Context } from '../context.ts';

/**
 * Runs a change; when the stack is managed from a different file, asks whether to manage it from this one. `yes` agrees in
 * advance; without a terminal to ask at, the change is refused.
 */
export async function askToTakeOver<T>(
  context: Pick<Context, 'confirm'>,
  yes: true | undefined,
  change: (takeOver: boolean) => Promise<T>,
): Promise<T> {
  try {
    return await change(yes === true);
  } catch (error) {
    const { OtherOriginError } = await import('../../plan/origin.ts');
    if (error instanceof OtherOriginError && (await mayTakeOver(context, error))) return await change(true);
    throw error;
  }
}

/** Asks whether to manage a stack from this file from now on; without a terminal, the answer is no. */
export async function mayTakeOver(
  context: Pick<Context, 'confirm'>,
  { doing, why }: OtherOriginError,
): Promise<boolean> {
  try {
    return await context.confirm(`${doing}: ${why}; change it from here?`, '--yes');
  } catch (error) {
    if (error instanceof InputError) return false;
    throw error;
  }
}

/** The option of every command that may have to ask that. */
export const yesOption = ['--yes', 'do not ask before changing a stack that is managed from a different file'] as const;
