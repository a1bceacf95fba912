import type { Diagnostic } from '../../stack/diagnostic.ts';

/** A value with warnings, or an error. */
export type Result<T, E = readonly Diagnostic[]> =
  | { readonly ok: true; readonly value: T; readonly warnings: readonly Diagnostic[] }
  | { readonly ok: false; readonly error: E };

export function ok<T>(value: T, warnings: readonly Diagnostic[] = []): Result<T, never> {
  return { ok: true, value, warnings };
}

export function fail<E>(error: E): Result<never, E> {
  return { ok: false, error };
}
