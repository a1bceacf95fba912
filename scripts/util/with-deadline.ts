import { StackError } from './stack-error.ts';

/** The work's value; a StackError once so many milliseconds have passed without it. The work itself may go on unheard. */
export async function withDeadline<T>(doing: string, ms: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const why = `the engine has not answered for ${ms / 1_000} s`;
      reject(new StackError({ doing, why, tryThis: 'see whether the engine is well: docker info' }));
    }, ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
