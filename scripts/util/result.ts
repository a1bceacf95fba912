import type { Diagnostic } from '../../stack/diagnostic.ts';

/** A value, or why there is none; warnings may come with either. */
export type Result<T, E = readonly Diagnostic[]> =
  | { readonly ok: true; readonly value: T; readonly warnings: readonly Diagnostic[] }
  | { readonly ok: false; readonly error: E };

/** A value that was had. */
export function ok<T>(value: T, warnings: readonly Diagnostic[] = []): Result<T, never> {
  return { ok: true, value, warnings };
}

/** Why there is no value. */
export function fail<E>(error: E): Result<never, E> {
  return { ok: false, error };
}
