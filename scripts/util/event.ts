import type { Diagnostic } from '../../stack/diagnostic.ts';

/** Progress that the library reports, never results; a reporter shows it to the user. */
export type Event =
  /** Work began; `id` identifies it in later events. Work that is `isInternal` is shown by `--verbose` only. */
  | { readonly kind: 'started'; readonly id: string; readonly what: string; readonly isInternal?: boolean | undefined }
  /** The `detail` is text: `42 of 98 MB`, `replaying the write-ahead log, segment 3 of 12`. */
  | {
      readonly kind: 'progress';
      readonly id: string;
      readonly what: string;
      readonly detail: string;
      readonly fraction?: number | undefined;
    }
  | {
      readonly kind: 'done';
      readonly id: string;
      readonly what: string;
      readonly tookMs: number;
      readonly detail?: string | undefined;
      readonly isInternal?: boolean | undefined;
    }
  | { readonly kind: 'failed'; readonly id: string; readonly what: string; readonly why: string }
  /** Work was cancelled because other work failed. */
  | { readonly kind: 'skipped'; readonly id: string; readonly what: string; readonly because: string }
  /** Something the user should know although nothing failed. One that `isResult` repeats a part of the result. */
  | { readonly kind: 'note'; readonly text: string; readonly isResult?: boolean | undefined }
  | { readonly kind: 'warning'; readonly text: string; readonly isResult?: boolean | undefined }
  /** One that `isResult` is shown with `--quiet` too. */
  | { readonly kind: 'diagnostic'; readonly diagnostic: Diagnostic; readonly isResult?: boolean | undefined };

/** Must not throw. */
export type Report = (event: Event) => void;
