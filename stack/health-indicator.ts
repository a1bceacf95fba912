import type { HttpRequest, HttpResponse } from './model.ts';

/** One thing a running service tells of how it is. */
export interface HealthIndicator {
  /** A short noun, as a heading: `targets`, `last reload`. */
  readonly label: string;
  readonly request: HttpRequest;
  /** Reads an answer of status 200; `now` is in milliseconds since 1970. Undefined when it cannot be read. */
  read(response: HttpResponse, now: number): Reading | undefined;
}

/** What an answer says, for a person and for a program. */
export interface Reading {
  /** `6 up, 1 down`. */
  readonly text: string;
  /** The same as numbers and names, for programs; times in seconds since 1970. */
  readonly values: Readonly<Record<string, number | string | boolean | readonly string[]>>;
  /** `wrong` means that the stack does not do its work; `notice` that a person may want to look. */
  readonly tone: 'right' | 'notice' | 'wrong';
  /** What is not right, a sentence each, and what to try. */
  readonly problems?: readonly { readonly message: string; readonly tryThis?: string }[];
}
