import type { PageGroup, PageRule, PageTarget } from './page-state.ts';

// What the page asks for beside its stream: details, which are sent on request, and changes. Everything is JSON, as in page-state.ts.

/** `GET api/group?id=`. */
export interface GroupDetails {
  readonly group: PageGroup;
  readonly families: readonly {
    readonly name: string;
    readonly type: string;
    readonly help: string;
    readonly series: readonly { readonly labels: Readonly<Record<string, string>>; readonly value: string }[];
  }[];
  /** The number of series that were left out: at most 1,000 are sent. */
  readonly left: number;
}

/** `GET api/target?id=`. */
export interface TargetDetails {
  readonly target: PageTarget;
  readonly labels: Readonly<Record<string, string>>;
  readonly lastScrape?: number | undefined;
  readonly scrapeSeconds?: number | undefined;
  readonly interval?: string | undefined;
  readonly timeout?: string | undefined;
}

/** `GET api/rule?id=`. */
export interface RuleDetails {
  readonly rule: PageRule;
  readonly expr: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly forSeconds?: number | undefined;
  readonly evaluatedAt?: number | undefined;
  readonly tookSeconds?: number | undefined;
}

/** `GET api/diff?from=REVISION&to=REVISION`; without `to`, the last confirmed revision. */
export interface RevisionDiff {
  readonly from: string;
  readonly to: string;
  /** What a change from one to the other does to each service. */
  readonly services: readonly {
    readonly service: string;
    readonly action: string;
    readonly because: readonly string[];
  }[];
  /** What it means for alerts: `DiskFull: added, notifies page`. */
  readonly meaning: readonly { readonly change: 'added' | 'removed' | 'changed' | 'routed'; readonly text: string }[];
  /** Jobs, receivers and the like that differ; lines begin with + or -. */
  readonly parts: readonly {
    readonly kind: string;
    readonly name: string;
    readonly change: 'added' | 'removed' | 'changed';
    readonly lines: readonly string[];
  }[];
  /** Unified diffs, secrets masked. */
  readonly files: readonly { readonly path: string; readonly diff: string }[];
}

/** Every response but 200 of `api/`. */
export interface PageError {
  readonly doing: string;
  readonly why: string;
  readonly tryThis?: string | undefined;
}

/**
 * The bodies of the POST routes, which exist only with --allow-changes. Each needs the header `x-promstack-page: 1` and
 * `content-type: application/json`; it answers 200 with `{ "text": … }` to show, or a `PageError`.
 */
export interface PageActions {
  /** `POST api/silence`; matchers as amtool writes them: `alertname="DiskFull"`. */
  readonly silence: { readonly matchers: readonly string[]; readonly minutes: number; readonly comment: string };
  /** `POST api/expire-silence`. */
  readonly 'expire-silence': { readonly id: string };
  /** `POST api/delete-group`; the id of a group. */
  readonly 'delete-group': { readonly id: string };
  /** `POST api/reload`; needs a stack file. */
  readonly reload: Readonly<Record<never, never>>;
  /** `POST api/rollback`. */
  readonly rollback: { readonly revision: string };
  /** `POST api/verify`: answers when the check has begun; its hops come as changes. */
  readonly verify: Readonly<Record<never, never>>;
}
