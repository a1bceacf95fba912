import { StackError } from './stack-error.ts';

/** The value of a promise, or a StackError after `ms` milliseconds. The work itself is not stopped. */
export async function withDeadline<T>(doing: string, ms: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const why = `the engine did not respond within ${ms / 1_000} s`;
      reject(new StackError({ doing, why, tryThis: 'check the state of the engine with docker info' }));
    }, ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
