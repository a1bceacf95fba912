import { EngineError, type EngineErrorCode } from '../engine.ts';

/**
 * Asks the engine for something; its refusal comes as an EngineError that knows what was being done. An abort comes as
 * the signal's reason: docker-modem tells it as a broken connection once the answer has begun.
 */
export async function engineCall<T>(doing: string, ask: () => Promise<T>, signal?: AbortSignal): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    signal?.throwIfAborted();
    throw toEngineError(doing, error);
  }
}

/** As `asking`, where "not there" is an answer. */
export async function optionalEngineCall<T>(doing: string, ask: () => Promise<T>): Promise<T | undefined> {
  try {
    return await ask();
  } catch (error) {
    if (statusOf(error) === 404) return undefined;
    throw toEngineError(doing, error);
  }
}

/** What the engine or the way to it said, as an EngineError; an abort and our own mistakes stay what they are. */
export function toEngineError(doing: string, error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof EngineError || error.name === 'AbortError') return error;
  const code = codeOf(error);
  if (code === undefined) return error;
  return new EngineError({ code, doing, message: sentenceOf(error), cause: error });
}

/** Whether the engine answered with "already so", which is no failure for whoever wanted it so. */
export function isAlreadySo(error: unknown): boolean {
  return statusOf(error) === 304;
}

function codeOf(error: Error): EngineErrorCode | undefined {
  const status = statusOf(error);
  if (status === undefined) return codeOfErrno((error as NodeJS.ErrnoException).code);
  if (status === 404) return 'notFound';
  if (status === 409) return 'conflict';
  if (status === 401 || status === 403) return 'denied';
  if (status !== 500) return 'refused';
  // The engine answers 500 to a port that is in use: only its sentence tells (moby and podman alike).
  if (portTaken.test(error.message)) return 'portTaken';
  return podmanConflicts.has(bodyOf(error)?.cause ?? '') ? 'conflict' : 'refused';
}

const portTaken = /port is already allocated|address already in use/i;

/** Podman 4 answers 500 to these as well, and names the kind of error in `cause` (libpod/define/errors.go). */
const podmanConflicts = new Set([
  'that name is already in use',
  'container already exists',
  'container state improper',
  'network already exists',
  'network is being used',
  'volume already exists',
  'volume is being used',
]);

function codeOfErrno(errno: string | undefined): EngineErrorCode | undefined {
  if (errno === undefined || errno.startsWith('ERR_')) return undefined;
  return errno === 'EACCES' || errno === 'EPERM' ? 'denied' : 'unreachable';
}

function statusOf(error: unknown): number | undefined {
  const status = (error as { statusCode?: unknown } | undefined)?.statusCode;
  return typeof status === 'number' ? status : undefined;
}

/** The engine's own sentence, without what docker-modem writes before it. */
function sentenceOf(error: Error): string {
  const sentence = bodyOf(error)?.message ?? error.message.replace(/^\(HTTP code \d+\) [^-]*- /, '');
  return sentence.trim();
}

interface RefusalBody {
  readonly message?: string;
  readonly cause?: string;
}

/** The JSON of the engine's refusal, where docker-modem kept it. */
function bodyOf(error: Error): RefusalBody | undefined {
  return (error as { json?: RefusalBody | null }).json ?? undefined;
}
