import type { HttpRequest, HttpResponse, Proof, Verdict } from '../../stack/model.ts';
import type { Clock } from '../util/clock.ts';
import { StackError } from '../util/stack-error.ts';

/** The pause between two requests of a proof. */
const pauseMs = 25;
const proofMs = 5_000;

/** What a proof needs: the name is for messages. */
interface ProofContext {
  readonly service: { readonly name: string };
  /** Rejects when there is no response; any status is a response. */
  request(request: HttpRequest, options: { readonly timeoutMs: number }): Promise<HttpResponse>;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly deadlineMs: number;
}

/** Repeats the proof until it holds; throws a StackError when it is refuted or the deadline passes. */
export async function prove(proof: Proof, context: ProofContext): Promise<void> {
  const { service, clock, signal, deadlineMs } = context;
  const end = clock.now() + deadlineMs;
  for (;;) {
    const verdict = await ask(proof, context);
    if (verdict.kind === 'proven') return;
    if (verdict.kind === 'refuted' || clock.now() >= end) {
      throw new StackError({
        doing: `confirming that ${service.name} ${proof.claim}`,
        why: verdict.kind === 'refuted' ? verdict.because : `${verdict.because}, after ${deadlineMs / 1000} s`,
        tryThis: `promstack logs ${service.name}`,
      });
    }
    await clock.sleep(pauseMs, signal);
  }
}

async function ask(proof: Proof, { request, signal }: ProofContext): Promise<Verdict> {
  try {
    return proof.assess(await request(proof.request, { timeoutMs: proofMs }));
  } catch (error) {
    signal.throwIfAborted();
    // What prevents the request itself does not pass by waiting.
    if (error instanceof StackError) throw error;
    return { kind: 'notYet', because: `it does not answer: ${(error as Error).message}` };
  }
}
