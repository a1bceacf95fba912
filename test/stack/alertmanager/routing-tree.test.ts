import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { fromGoRegExp, type Labels } from '../../../stack/alertmanager/matcher.ts';
import {
  alertRouteOf,
  parseRoute,
  type Route,
  reachOf,
  receiversFor,
} from '../../../stack/alertmanager/routing-tree.ts';

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
  ])('must take %o to %o', (labels, receivers) => {
    expect(receiversFor(tree, labels)).toEqual(receivers);
  });

  it('must take a label that an alert lacks for empty, whatever its name', () => {
    const byName = read('receiver: default\nroutes: [{ receiver: other, matchers: [\'constructor!=""\'] }]\n');
    expect(receiversFor(byName, {})).toEqual(['default']);
    expect(receiversFor(byName, { constructor: 'x' })).toEqual(['other']);
  });

  it('must say whom an alert may reach by labels that are not known yet', () => {
    expect(reachOf(tree, { team: 'db', severity: 'page' })).toEqual({
      certain: [],
      possible: ['db-night', 'db'],
      dependsOn: ['night'],
      conditions: ['night="yes"'],
    });
    expect(reachOf(tree, { team: '', audit: '', severity: 'page' })).toEqual({
      certain: ['pager'],
      possible: ['pager'],
      dependsOn: [],
      conditions: [],
    });
    expect(reachOf(tree, { team: '', audit: 'x', severity: '', alertname: 'A' }).certain).toEqual(['audit']);
  });

  it('must know who is told in every case, whichever route takes the alert', () => {
    const root = read(`
receiver: default
routes:
  - {receiver: chat, matchers: ['team="db"']}
  - {receiver: db, matchers: ['env="prod"'], continue: true}
  - {receiver: chat, matchers: ['severity="page"']}
`);
    expect(reachOf(root, { severity: 'page' })).toMatchObject({ certain: ['chat'], possible: ['chat', 'db'] });
    expect(reachOf(root, { severity: 'page', env: '' })).toMatchObject({ certain: ['chat'], dependsOn: [] });
  });

  it('must never be wrong about what is certain, and never forget what is possible', () => {
    fc.assert(
      fc.property(anyRoute, anyLabels, someNames, (root, all, known) => {
        const { certain, possible } = reachOf(root, only(known, all));
        const real = receiversFor(root, all);
        expect(real).toEqual(expect.arrayContaining([...certain]));
        expect(possible).toEqual(expect.arrayContaining([...real]));
      }),
    );
  });

  it('must have other cases than another one when an alert reaches others by it', () => {
    fc.assert(
      fc.property(anyRoute, anyLabels, someNames, fc.nat(), (root, all, known, at) => {
        const other = withOtherContinue(root, at);
        const some = only(known, all);
        const isSame = alertRouteOf(root, some).cases === alertRouteOf(other, some).cases;
        const [one, two] = [root, other].map((tree) => receiversFor(tree, all).toSorted());
        if (isSame) expect(one).toEqual(two);
      }),
    );
  });

  it('must have the same cases where what differs decides nothing', () => {
    const text = '{receiver: a, routes: [{matchers: [x="1"]}, {receiver: b, matchers: [y="1"], routes: []}]}';
    const root = read(text);
    expect(alertRouteOf(root, {}).cases).toBe(
      alertRouteOf(read(text.replace('routes: []', 'continue: true')), {}).cases,
    );
    expect(alertRouteOf(root, { y: '' }).cases).toBe(alertRouteOf(read('{receiver: a}'), {}).cases);
    expect(alertRouteOf(root, {}).cases).not.toBe(alertRouteOf(read(text.replace('y="1"', 'y="2"')), {}).cases);
  });

  it('must inherit the receiver of the route above', () => {
    const root = read('{receiver: a, routes: [{matchers: [x="1"], routes: [{matchers: [y="1"]}]}]}');
    expect(receiversFor(root, { x: '1', y: '1' })).toEqual(['a']);
  });

  it('must not be read where Alertmanager would refuse it', () => {
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

  it.each(['\\p{Greek}', 'a(?i:b)', '(?U)a+', '(', 'a**'])('%s must not be tried', (pattern) => {
    expect(fromGoRegExp(pattern)).toBeUndefined();
  });
});

/** The same tree but for `continue` of one of the routes right below the root. */
function withOtherContinue(root: Route, at: number): Route {
  const changed = at % Math.max(root.routes.length, 1);
  const routes = root.routes.map((route, index) =>
    index === changed ? { ...route, continues: !route.continues } : route,
  );
  return { ...root, routes };
}

function read(text: string): Route {
  const route = parseRoute(parse(text));
  if (route === undefined) throw new Error('the route can be read');
  return route;
}
