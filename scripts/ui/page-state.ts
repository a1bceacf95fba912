/**
 * What the server of `promstack ui` sends to its page. Everything is JSON: times are milliseconds since 1970, texts are data and
 * never HTML, secrets are masked, and ids are opaque.
 *
 * The page is at `http://127.0.0.1:PORT/TOKEN/`, and its URLs are relative to that: `page.js`, `style.css`, `api/events`.
 *
 * `GET api/events` is a stream of server-sent events. Its first is a `snapshot` (a `Snapshot`); each `change` after it (a
 * `PageChange`) turns the state before into the state after (see `applyChange`), about once a second. A client that reads too
 * slowly gets a `snapshot` again instead of the changes it missed, and is disconnected when it reads nothing for 10 s.
 */

/** `ok` works; `notice` is something to know; `wrong` does not work; `unknown` was not or could not be looked at. */
export type NodeState = 'ok' | 'notice' | 'wrong' | 'unknown';

/** What is wrong or to be known, and what to do. */
export interface PageProblem {
  readonly state: 'notice' | 'wrong';
  readonly message: string;
  readonly tryThis?: string | undefined;
}

/** The first line of the page: there is one of it. */
export interface PageHeader {
  readonly stack: string;
  /** When this state was sampled. */
  readonly at: number;
  /** The last confirmed revision; undefined before the first. */
  readonly revision?: string | undefined;
  readonly engine: EngineState;
  /** Whether the page may change something: the server was started with --allow-changes. */
  readonly mayChange: boolean;
  /** The stack file, as typed or found; undefined for a stack that is named by -p. */
  readonly file?: string | undefined;
  /** Mistakes in stack.yml, and problems of services that are no node. */
  readonly problems: readonly PageProblem[];
  /** What differs between what runs and what stack.yml says, each named with its service; the nodes have these too. */
  readonly drift: readonly PageProblem[];
  readonly parts: Readonly<Record<PartName, PartState>>;
}

/** The parts of the page that are read one by one. */
export const partNames = [
  'groups',
  'rates',
  'targets',
  'rules',
  'alerts',
  'routes',
  'notifications',
  'history',
  'status',
  'drift',
] as const;

export type PartName = (typeof partNames)[number];

/** How well a part is known. One that could not be read again is shown as it was. */
export interface PartState {
  /** When it was last read; undefined before the first time: nothing of it is known then, not even that there is nothing. */
  readonly readAt?: number | undefined;
  /** Why it is not current: `Prometheus does not answer`. Undefined while it is, and until the first look has ended. */
  readonly why?: string | undefined;
}

export interface EngineState {
  readonly isReachable: boolean;
  /** When that began. */
  readonly since: number;
  /** Why it is not. */
  readonly error?: string | undefined;
  readonly tryThis?: string | undefined;
}

/**
 * A node of the drawing. The ids of fixed nodes are `sources`, `pushgateway`, `targets`, `prometheus`, `rules`, `alertmanager`,
 * `receivers` and `grafana`; a node that the stack does not have is absent. Groups, targets, rules, routes and receivers are
 * drawn inside their node.
 */
export interface PageNode {
  readonly id: NodeId;
  readonly title: string;
  readonly state: NodeState;
  /** One or two words beside the shape: `ready`, `3 down`, `not running`. */
  readonly word: string;
  /** The number of its parts: groups, targets, rules, receivers. */
  readonly count?: number | undefined;
  /** Of them, those that are wrong. */
  readonly wrong?: number | undefined;
  /** The address to open in a browser. */
  readonly url?: string | undefined;
  readonly image?: string | undefined;
  /** The engine's own description: `Up 3 minutes`. */
  readonly uptime?: string | undefined;
  /** Its vital figures: `series` `12,034`. */
  readonly figures: readonly { readonly label: string; readonly text: string; readonly state: NodeState }[];
  readonly problems: readonly PageProblem[];
}

export type NodeId =
  | 'sources'
  | 'pushgateway'
  | 'targets'
  | 'prometheus'
  | 'rules'
  | 'alertmanager'
  | 'receivers'
  | 'grafana';

/** What flows from one node to another. */
export interface PageEdge {
  /** `pushgateway>prometheus`. */
  readonly id: string;
  readonly from: NodeId;
  readonly to: NodeId;
  /** `pushes/s`, `samples/s`, `alerts/s`, `notifications/min`. */
  readonly unit: string;
  /** Undefined until two samples have been taken, and while the server does not answer. */
  readonly rate?: number | undefined;
  /** Of what failed on its way, in the same unit: refused pushes, notifications that failed. */
  readonly failedRate?: number | undefined;
}

/** The past of an edge's rate; the page adds `rate` of each change at its `header.at`. */
export interface EdgeHistory {
  readonly at: readonly number[];
  readonly rate: readonly (number | null)[];
}

/** A group of the Pushgateway. */
export interface PageGroup {
  readonly id: string;
  readonly job: string;
  /** Without `job`. */
  readonly labels: Readonly<Record<string, string>>;
  readonly pushedAt?: number | undefined;
  readonly series: number;
  readonly metrics: number;
  /** About how long its names, labels and help are as text. */
  readonly bytes: number;
  /** The last push that was refused; wrong when it is later than `pushedAt`. */
  readonly failedAt?: number | undefined;
  readonly state: NodeState;
  /** When the stack deletes it without a push (pushgateway.ttl). */
  readonly expiresAt?: number | undefined;
}

/** A scrape target. */
export interface PageTarget {
  readonly id: string;
  readonly job: string;
  readonly instance: string;
  readonly url: string;
  readonly state: NodeState;
  /** `up`, `down` or `unknown`, as Prometheus says it. */
  readonly health: string;
  readonly error?: string | undefined;
}

/** A rule of Prometheus. */
export interface PageRule {
  readonly id: string;
  readonly group: string;
  readonly file: string;
  readonly name: string;
  readonly kind: 'alert' | 'record';
  readonly state: NodeState;
  /** Of an alert: `inactive`, `pending` or `firing`; of a recording rule: `recording`. */
  readonly activity: string;
  readonly health: string;
  readonly error?: string | undefined;
  /** The number of its alerts that are pending or firing. */
  readonly active: number;
}

/** An alert that is pending or firing in Prometheus, or active in Alertmanager. */
export interface PageAlert {
  readonly id: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** `active` is one that only Alertmanager has. */
  readonly activity: 'pending' | 'firing' | 'active';
  readonly since?: number | undefined;
  /** The ids of the routes that it takes, and the names of their receivers. */
  readonly routes: readonly string[];
  readonly receivers: readonly string[];
  readonly mutedBy: readonly PageMute[];
}

export interface PageMute {
  readonly kind: 'silence' | 'inhibition' | 'time interval';
  /** `silenced by ann@ops: moving disks`, `inhibited by InstanceDown`, `muted by weekend`. */
  readonly text: string;
  /** The id of the silence. */
  readonly id?: string | undefined;
  /** The receivers that it keeps from being notified; all when absent. */
  readonly receivers?: readonly string[] | undefined;
}

/** A route of Alertmanager's tree. */
export interface PageRoute {
  /** `0`, `0.1`: the place in the tree. */
  readonly id: string;
  /** Undefined for the root. */
  readonly parent?: string | undefined;
  /** `severity="page"`; empty for a route that every alert matches. */
  readonly matchers: readonly string[];
  readonly receiver: string;
  readonly continues: boolean;
  readonly groupBy: readonly string[];
  readonly groupWait: string;
  readonly groupInterval: string;
  readonly repeatInterval: string;
  /** `muted by weekend`, at this time. */
  readonly mutedBy?: string | undefined;
  /** The number of alerts that end at it. */
  readonly alerts: number;
}

export interface PageReceiver {
  readonly id: string;
  readonly name: string;
  /** `webhook`, `email`. */
  readonly integrations: readonly string[];
  readonly state: NodeState;
  readonly word: string;
  /** Requests since Alertmanager started, each attempt of a notification is one; undefined when it does not count by receiver. */
  readonly delivered?: number | undefined;
  readonly failed?: number | undefined;
  /** Why its deliveries are not known, and what is known instead: `Alertmanager 0.25.0 does not record alerts`. */
  readonly unknown?: string | undefined;
  /** The newest first, at most ten. */
  readonly notifications: readonly PageNotification[];
}

/** A notification as the alert log has it. */
export interface PageNotification {
  readonly at: number;
  readonly outcome: 'delivered' | 'failed';
  readonly integration?: string | undefined;
  /** `first notification`; why it failed. */
  readonly text: string;
  /** The names of its alerts. */
  readonly alerts: readonly string[];
}

export interface PageSilence {
  readonly id: string;
  readonly state: 'active' | 'pending';
  readonly matchers: readonly string[];
  readonly startsAt: number;
  readonly endsAt: number;
  readonly by: string;
  readonly comment: string;
}

/** An entry of the timeline; the page sorts by `at`. */
export interface PageEntry {
  readonly id: string;
  readonly at: number;
  /** `revision`: confirmed; `refused`: rolled back by a server; `invalid`: an edit under `watch` that was never applied. */
  readonly kind: 'revision' | 'refused' | 'invalid';
  readonly revision?: string | undefined;
  /** Whether it runs now, or rollback can restore it. */
  readonly place?: 'current' | 'restorable' | 'past' | undefined;
  readonly who?: string | undefined;
  /** `up`, `watch`. */
  readonly command: string;
  readonly changed: readonly string[];
  /** Why it was refused. */
  readonly why?: string | undefined;
  readonly mistakes: readonly PageMistake[];
}

/** A mistake in a file, as `watch` reports it. */
export interface PageMistake {
  readonly severity: 'error' | 'warning' | 'note';
  readonly message: string;
  readonly hint?: string | undefined;
  /** `rules/disk.yml:14:7`. */
  readonly place?: string | undefined;
  /** Lines of source and of marks below them; secrets covered. */
  readonly excerpt: readonly string[];
}

/** The last check of the pipeline that this server ran. */
export interface PageVerify {
  readonly id: 'last';
  readonly state: 'running' | 'passed' | 'failed';
  readonly startedAt: number;
  /** Why it could not run at all. */
  readonly error?: string | undefined;
  readonly tryThis?: string | undefined;
  readonly hops: readonly PageHop[];
}

export interface PageHop {
  readonly name: string;
  /** What is proven once the canary has passed: `accepts the canary and exposes it`. */
  readonly claim: string;
  readonly outcome: 'waiting' | 'running' | 'passed' | 'failed' | 'skipped';
  readonly tookMs: number;
  readonly detail?: string | undefined;
  readonly why?: string | undefined;
  readonly tryThis?: string | undefined;
}

/** The lists of the page, each item by its id. */
export interface PageLists {
  readonly nodes: PageNode;
  readonly edges: PageEdge;
  readonly groups: PageGroup;
  readonly targets: PageTarget;
  readonly rules: PageRule;
  readonly alerts: PageAlert;
  readonly routes: PageRoute;
  readonly receivers: PageReceiver;
  readonly silences: PageSilence;
  readonly entries: PageEntry;
  /** None before the first check. */
  readonly verify: PageVerify;
}

export type ListName = keyof PageLists;

/** Every list of the page. */
export const listNames = [
  'nodes',
  'edges',
  'groups',
  'targets',
  'rules',
  'alerts',
  'routes',
  'receivers',
  'silences',
  'entries',
  'verify',
] as const satisfies readonly ListName[];

/** All that the page shows. */
export type PageState = { readonly header: PageHeader } & {
  readonly [Name in ListName]: Readonly<Record<string, PageLists[Name]>>;
};

/** The first event of the stream. */
export interface Snapshot {
  readonly state: PageState;
  /** By the edge's id. */
  readonly history: Readonly<Record<string, EdgeHistory>>;
}

/** What differs from the state before: the header, new and changed items as a whole, and the ids of removed ones. */
export type PageChange = { readonly header: PageHeader } & {
  readonly [Name in ListName]?:
    | {
        readonly set?: Readonly<Record<string, PageLists[Name]>> | undefined;
        readonly removed?: readonly string[] | undefined;
      }
    | undefined;
};

/** The state after a change. Items that are equal are the same objects. */
export function applyChange(state: PageState, change: PageChange): PageState {
  const lists = listNames.flatMap((name) => {
    const { set = {}, removed = [] } = change[name] ?? {};
    if (removed.length === 0 && Object.keys(set).length === 0) return [];
    const gone = new Set(removed);
    const kept = Object.entries(state[name]).filter(([id]) => !gone.has(id));
    return [[name, Object.fromEntries([...kept, ...Object.entries(set)])] as const];
  });
  return { ...state, ...Object.fromEntries(lists), header: change.header };
}
