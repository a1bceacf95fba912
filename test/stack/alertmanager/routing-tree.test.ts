import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { parseInhibitRule } from '../../../stack/alertmanager/inhibition.ts';
import { fromGoRegExp, type Labels } from '../../../stack/alertmanager/matcher.ts';
import {
  finalRoutes,
  parseRoute,
  type Route,
  receiversFor,
  routeOf,
  type TracedRoute,
  traceRoutes,
} from '../../../stack/alertmanager/routing-tree.ts';
import { rootRoute } from '../../../stack/alertmanager/service.ts';
import { canaryLabels } from '../../../stack/canary.ts';
import { stackSchema } from '../../../stack/config.ts';

const tree = read(`
receiver: default
routes:
  - receiver: db
    matchers: ['team="db"']
    routes:
      - receiver: db-night
        matchers: ['severity=~"page|critical"', 'night="yes"']
  - receiver: audit
    matchers: ['audit!=""']
    continue: true
  - receiver: pager
    match: {severity: page}
  - receiver: mail
    match_re: {severity: 'warn.*'}
  - matchers: ['alertname="Quiet"']
    routes:
      - receiver: nobody
        matchers: ['env="dev"']
`);

const label = fc.constantFrom('a', 'b');
const value = fc.constantFrom('', '1', '2');
const matcher = fc.record({ name: label, operator: fc.constantFrom('=' as const, '!=' as const), value });
const own = {
  receiver: fc.constantFrom('r1', 'r2', 'r3'),
  matchers: fc.array(matcher, { maxLength: 2 }),
  continues: fc.boolean(),
  timing: fc.constant(parsed({ receiver: 'r1' }).timing),
  muteIntervals: fc.constant([]),
  activeIntervals: fc.constant([]),
};
const { route: anyRoute } = fc.letrec<{ route: Route }>((tie) => ({
  route: fc.oneof(
    { depthSize: 'small' },
    fc.record({ ...own, routes: fc.constant([]) }),
    fc.record({ ...own, routes: fc.array(tie('route'), { maxLength: 3 }) }),
  ),
}));
const anyLabels = fc.record({ a: value, b: value });
const someNames = fc.subarray(['a', 'b'] as const);

const only = (names: readonly ('a' | 'b')[], all: Readonly<Record<'a' | 'b', string>>): Labels =>
  Object.fromEntries(names.map((name) => [name, all[name]]));

describe('a routing tree', () => {
  it.each<[labels: Labels, receivers: readonly string[]]>([
    [{}, ['default']],
    [{ team: 'db' }, ['db']],
    [{ team: 'db', severity: 'page' }, ['db']],
    [{ team: 'db', severity: 'page', night: 'yes' }, ['db-night']],
    [{ severity: 'page' }, ['pager']],
    [{ severity: 'warning' }, ['mail']],
    [{ severity: 'a warning' }, ['default']],
    [{ audit: '1', severity: 'page' }, ['audit', 'pager']],
    [{ audit: '1' }, ['audit']],
    [{ alertname: 'Quiet' }, ['default']],
    [{ alertname: 'Quiet', env: 'dev' }, ['nobody']],
  ])('must route %o to %o', (labels, receivers) => {
    expect(receiversFor(tree, labels)).toEqual(receivers);
  });

  it('must treat an absent label as empty, whatever its name', () => {
    const byName = read('receiver: default\nroutes: [{ receiver: other, matchers: [\'constructor!=""\'] }]\n');
    expect(receiversFor(byName, {})).toEqual(['default']);
    expect(receiversFor(byName, { constructor: 'x' })).toEqual(['other']);
  });

  it('must list the possible receivers when labels are unknown', () => {
    expect(routeOf(tree, { team: 'db', severity: 'page' })).toMatchObject({
      certain: [],
      possible: ['db-night', 'db'],
      dependsOn: ['night'],
      conditions: ['night="yes"'],
    });
    expect(routeOf(tree, { team: '', audit: '', severity: 'page' })).toMatchObject({
      certain: ['pager'],
      possible: ['pager'],
      dependsOn: [],
      conditions: [],
    });
    expect(routeOf(tree, { team: '', audit: 'x', severity: '', alertname: 'A' }).certain).toEqual(['audit']);
  });

  it('must list a receiver as certain when all possible routes notify it', () => {
    const root = read(`
receiver: default
routes:
  - {receiver: chat, matchers: ['team="db"']}
  - {receiver: db, matchers: ['env="prod"'], continue: true}
  - {receiver: chat, matchers: ['severity="page"']}
`);
    expect(routeOf(root, { severity: 'page' })).toMatchObject({ certain: ['chat'], possible: ['chat', 'db'] });
    expect(routeOf(root, { severity: 'page', env: '' })).toMatchObject({ certain: ['chat'], dependsOn: [] });
  });

  it('must have only correct certain receivers and all possible ones', () => {
    fc.assert(
      fc.property(anyRoute, anyLabels, someNames, (root, all, known) => {
        const { certain, possible } = routeOf(root, only(known, all));
        const real = receiversFor(root, all);
        expect(real).toEqual(expect.arrayContaining([...certain]));
        expect(possible).toEqual(expect.arrayContaining([...real]));
      }),
    );
  });

  it('must have different cases from a tree that routes an alert to different receivers', () => {
    fc.assert(
      fc.property(anyRoute, anyLabels, someNames, fc.nat(), (root, all, known, at) => {
        const changed = withOtherContinue(root, at);
        const some = only(known, all);
        const isSame = routeOf(root, some).cases === routeOf(changed, some).cases;
        const [before, after] = [root, changed].map((tree) => receiversFor(tree, all).toSorted());
        if (isSame) expect(before).toEqual(after);
      }),
    );
  });

  it('must have the same cases when differences have no effect', () => {
    const text = '{receiver: a, routes: [{matchers: [x="1"]}, {receiver: b, matchers: [y="1"], routes: []}]}';
    const root = read(text);
    expect(routeOf(root, {}).cases).toBe(routeOf(read(text.replace('routes: []', 'continue: true')), {}).cases);
    expect(routeOf(root, { y: '' }).cases).toBe(routeOf(read('{receiver: a}'), {}).cases);
    expect(routeOf(root, {}).cases).not.toBe(routeOf(read(text.replace('y="1"', 'y="2"')), {}).cases);
  });

  it('must inherit the receiver of the route above', () => {
    const root = read('{receiver: a, routes: [{matchers: [x="1"], routes: [{matchers: [y="1"]}]}]}');
    expect(receiversFor(root, { x: '1', y: '1' })).toEqual(['a']);
  });

  it('must not be parsed when Alertmanager would reject it', () => {
    expect(parseRoute(undefined)).toBeUndefined();
    expect(parseRoute({ routes: [] })).toBeUndefined();
    expect(parseRoute({ receiver: 'a', routes: [{ matchers: ['severity: page'] }] })).toBeUndefined();
  });
});

describe('an expression in Go’s syntax', () => {
  it.each([
    ['a|b', 'b', true],
    ['a|b', 'ab', false],
    ['(?i)PAGE', 'page', true],
    ['(?P<x>a+)', 'aaa', true],
    ['[[:digit:]]+', '42', true],
    ['\\Qa.b\\E', 'a.b', true],
    ['\\Qa.b\\E', 'axb', false],
    ['a\\-b', 'a-b', true],
    ['\\Aa\\z', 'a', true],
    ['', '', true],
  ])('%s must agree with Go on %s', (pattern, text, verdict) => {
    expect(fromGoRegExp(pattern)?.test(text)).toBe(verdict);
  });

  it.each(['\\p{Greek}', 'a(?i:b)', '(?U)a+', '(', 'a**'])('%s must be unsupported', (pattern) => {
    expect(fromGoRegExp(pattern)).toBeUndefined();
  });
});

const traced = (root: object, labels: Labels): TracedRoute => traceRoutes(parsed(root), labels);
const notified = (root: object, labels: Labels) => finalRoutes(traced(root, labels)).map(({ receiver }) => receiver);

const root = {
  receiver: 'chat',
  group_wait: '1m',
  routes: [
    { matchers: ['severity="critical"'], receiver: 'oncall', continue: true },
    { match: { team: 'db' }, receiver: 'db', routes: [{ match_re: { host: 'a|b' }, group_by: ['host'] }] },
    { matchers: ['severity=~"critical|warning"'], receiver: 'log' },
  ],
};

describe('a traced alert', () => {
  it('must end at the root when no route below it matches', () => {
    expect(notified(root, { severity: 'info' })).toEqual(['chat']);
  });

  it('must continue to later routes after a route with continue, and only then', () => {
    expect(notified(root, { severity: 'critical' })).toEqual(['oncall', 'log']);
    expect(notified(root, { severity: 'critical', team: 'db' })).toEqual(['oncall', 'db']);
    expect(notified(root, { severity: 'warning', team: 'db' })).toEqual(['db']);
  });

  it('must have no trace when a matcher is invalid, because Alertmanager would reject it', () => {
    expect(parseRoute({ receiver: 'a', routes: [{ matchers: ['severity: page'] }] })).toBeUndefined();
    expect(parseInhibitRule({ source_matchers: ['a=b'], target_matchers: ['severity: page'] })).toBeUndefined();
  });

  it('must match regular expressions with backslashes', () => {
    const byCode = { receiver: 'chat', routes: [{ matchers: ['code=~"5\\d\\d"'], receiver: 'oncall' }] };
    expect(notified(byCode, { code: '503' })).toEqual(['oncall']);
    expect(notified(byCode, { code: '5dd' })).toEqual(['chat']);
  });

  it('must inherit receiver and timing from parent routes', () => {
    const [route] = finalRoutes(traced(root, { team: 'db', host: 'a' }));
    expect(route).toMatchObject({
      receiver: 'db',
      timing: { groupBy: ['host'], groupWait: '1m', groupInterval: '5m' },
    });
  });

  it('must not match below a route that does not match', () => {
    expect(traced(root, { host: 'a' }).routes.map(({ isMatched }) => isMatched)).toEqual([false, false, false]);
  });
});

const names = ['chat', 'oncall', 'log'];
const textMatcher = fc
  .tuple(
    fc.constantFrom('alertname', 'severity', 'job', 'team', 'promstack_verify'),
    fc.constantFrom('=', '!=', '=~', '!~'),
    fc.constantFrom('', 'critical', 'PromstackVerify', 'promstack-verify', '.*', 'a|b'),
  )
  .map(([name, operator, value]) => `${name}${operator}"${value}"`);
const { node: anyNode } = fc.letrec<{ node: object }>((tie) => ({
  node: fc.record({
    receiver: fc.constantFrom(...names),
    matchers: fc.array(textMatcher, { maxLength: 2 }),
    continue: fc.boolean(),
    routes: fc.oneof({ depthSize: 'small' }, fc.constant([]), fc.array(tie('node'), { maxLength: 3 })),
  }),
}));
const userTree = anyNode.map((node) => ({ ...node, matchers: [], continue: false }));
const someLabels = fc.dictionary(
  fc.constantFrom('alertname', 'severity', 'job', 'team'),
  fc.constantFrom('critical', 'a', 'x'),
);

describe('the routes of any user', () => {
  it('must lead to the same receivers in a trace and in a plan', () => {
    fc.assert(
      fc.property(userTree, someLabels, (route, alert) => {
        expect([...new Set(notified(route, alert))]).toEqual(receiversFor(parsed(route), alert));
      }),
    );
  });

  it('must not get the canary', () => {
    fc.assert(
      fc.property(userTree, fc.boolean(), (route, hasSink) => {
        const config = stackSchema.parse({ sink: { enabled: hasSink }, alertmanager: { route } });
        expect(notified(rootRoute(config), canaryLabels('3f2a'))).toEqual([hasSink ? 'sink' : 'promstack-verify']);
      }),
    );
  });

  it('must get all other alerts as without the canary', () => {
    fc.assert(
      fc.property(userTree, someLabels, (route, alert) => {
        const config = stackSchema.parse({ alertmanager: { route } });
        expect(notified(rootRoute(config), alert)).toEqual(notified(route, alert));
      }),
    );
  });
});

/** The same tree with another `continue` of one of the root's child routes. */
function withOtherContinue(root: Route, at: number): Route {
  const changed = at % Math.max(root.routes.length, 1);
  const routes = root.routes.map((route, index) =>
    index === changed ? { ...route, continues: !route.continues } : route,
  );
  return { ...root, routes };
}

function read(text: string): Route {
  return parsed(parse(text));
}

function parsed(root: unknown): Route {
  const route = parseRoute(root);
  if (route === undefined) throw new Error('the routing tree is invalid');
  return route;
}
