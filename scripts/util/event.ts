import type { Diagnostic } from '../../stack/diagnostic.ts';

/** What the library tells while it works; a reporter at the edge decides how a person sees it. Progress only, never results. */
export type Event =
  /** A piece of work began; `id` pairs it with its end. */
  | { readonly kind: 'started'; readonly id: string; readonly what: string }
  /** How far a piece of work is, in words: `42 of 98 MB`, `replaying the write-ahead log, segment 3 of 12`. */
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
    }
  | { readonly kind: 'failed'; readonly id: string; readonly what: string; readonly why: string }
  /** A piece of work that was not begun because another failed. */
  | { readonly kind: 'skipped'; readonly id: string; readonly what: string; readonly because: string }
  /** Something a person should know though nothing failed. */
  | { readonly kind: 'note'; readonly text: string }
  | { readonly kind: 'warning'; readonly text: string }
  | { readonly kind: 'diagnostic'; readonly diagnostic: Diagnostic };

/** Takes events as they come; must not throw. */
export type Report = (event: Event) => void;
