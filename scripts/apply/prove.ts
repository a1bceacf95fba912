import type { Proof } from '../../stack/model.ts';
import type { ServiceClient } from '../state/service-client.ts';
import type { Clock } from '../util/clock.ts';
import { StackError } from '../util/stack-error.ts';

/** How often a proof that does not hold yet is asked again. */
const pauseMs = 25;

/** Asks until every proof holds; throws a StackError when one is refuted or the deadline passes. */
export async function prove(
  service: string,
  proofs: readonly Proof[],
  { reach, clock, signal, deadlineMs }: { reach: ServiceClient; clock: Clock; signal: AbortSignal; deadlineMs: number },
): Promise<void> {
  const end = clock.now() + deadlineMs;
  await Promise.all(
    proofs.map(async (proof) => {
      for (;;) {
        const verdict = await ask(proof);
        if (verdict.kind === 'proven') return;
        if (verdict.kind === 'refuted' || clock.now() >= end) {
          throw new StackError({
            doing: `confirming that ${service} ${proof.claim}`,
            why: verdict.kind === 'refuted' ? verdict.because : `${verdict.because}, after ${deadlineMs / 1000} s`,
            tryThis: `promstack logs ${service}`,
          });
        }
        await clock.sleep(pauseMs, signal);
      }
    }),
  );

  async function ask(proof: Proof) {
    try {
      return proof.judge(await reach.request(service, proof.request, { timeoutMs: 5_000, signal }));
    } catch (error) {
      signal.throwIfAborted();
      return { kind: 'notYet', because: `it does not answer: ${(error as Error).message}` } as const;
    }
  }
}
