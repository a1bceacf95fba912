import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseInhibitRule } from '../../../stack/alertmanager/inhibition.ts';
import { endsOf, type MarkedRoute, markRoutes } from '../../../stack/alertmanager/marked-tree.ts';
import { rootRoute } from '../../../stack/alertmanager/routing.ts';
import { parseRoute, receiversFor } from '../../../stack/alertmanager/routing-tree.ts';
import { canaryLabels } from '../../../stack/canary.ts';
import { stackSchema } from '../../../stack/config.ts';

const marked = (root: object, labels: Readonly<Record<string, string>>): MarkedRoute => {
  const tree = markRoutes(root, labels);
  if (tree === undefined) throw new Error('there is no root route');
  return tree;
};
const told = (root: object, labels: Readonly<Record<string, string>>) =>
  endsOf(marked(root, labels)).map((end) => end.receiver);

const root = {
  receiver: 'chat',
  group_wait: '1m',
  routes: [
    { matchers: ['severity="critical"'], receiver: 'oncall', continue: true },
    { match: { team: 'db' }, receiver: 'db', routes: [{ match_re: { host: 'a|b' }, group_by: ['host'] }] },
    { matchers: ['severity=~"critical|warning"'], receiver: 'log' },
  ],
};

describe('the way of an alert through the routes', () => {
  it('must end at the root when no route below it matches', () => {
    expect(told(root, { severity: 'info' })).toEqual(['chat']);
  });

  it('must go on to later routes where a route continues, and end where one does not', () => {
    expect(told(root, { severity: 'critical' })).toEqual(['oncall', 'log']);
    expect(told(root, { severity: 'critical', team: 'db' })).toEqual(['oncall', 'db']);
    expect(told(root, { severity: 'warning', team: 'db' })).toEqual(['db']);
  });

  it('must not be followed where a matcher is none, as Alertmanager would refuse it', () => {
    expect(markRoutes({ receiver: 'a', routes: [{ matchers: ['severity: page'] }] }, {})).toBeUndefined();
    expect(parseInhibitRule({ source_matchers: ['a=b'], target_matchers: ['severity: page'] })).toBeUndefined();
  });

  it('must take an expression with its backslashes', () => {
    const byCode = { receiver: 'chat', routes: [{ matchers: ['code=~"5\\d\\d"'], receiver: 'oncall' }] };
    expect(told(byCode, { code: '503' })).toEqual(['oncall']);
    expect(told(byCode, { code: '5dd' })).toEqual(['chat']);
  });

  it('must inherit receiver and timing from the routes above', () => {
    const [end] = endsOf(marked(root, { team: 'db', host: 'a' }));
    expect(end).toMatchObject({ receiver: 'db', timing: { groupBy: ['host'], groupWait: '1m', groupInterval: '5m' } });
  });

  it('must mark nothing below a route that is not taken', () => {
    expect(marked(root, { host: 'a' }).routes.map(({ isTaken }) => isTaken)).toEqual([false, false, false]);
  });
});

const names = ['chat', 'oncall', 'log'];
const matcher = fc
  .tuple(
    fc.constantFrom('alertname', 'severity', 'job', 'team', 'promstack_verify'),
    fc.constantFrom('=', '!=', '=~', '!~'),
    fc.constantFrom('', 'critical', 'PromstackVerify', 'promstack-verify', '.*', 'a|b'),
  )
  .map(([name, operator, value]) => `${name}${operator}"${value}"`);
const { node: tree } = fc.letrec<{ node: object }>((tie) => ({
  node: fc.record({
    receiver: fc.constantFrom(...names),
    matchers: fc.array(matcher, { maxLength: 2 }),
    continue: fc.boolean(),
    routes: fc.oneof({ depthSize: 'small' }, fc.constant([]), fc.array(tie('node'), { maxLength: 3 })),
  }),
}));
const treeOfPerson = tree.map((node) => ({ ...node, matchers: [], continue: false }));
const labels = fc.dictionary(
  fc.constantFrom('alertname', 'severity', 'job', 'team'),
  fc.constantFrom('critical', 'a', 'x'),
);

describe('the routes of every person', () => {
  it('must be followed as the plan follows them', () => {
    fc.assert(
      fc.property(treeOfPerson, labels, (route, alert) => {
        const parsed = parseRoute(route);
        expect([...new Set(told(route, alert))]).toEqual(
          parsed === undefined ? undefined : receiversFor(parsed, alert),
        );
      }),
    );
  });

  it('must not hear of the canary, whatever they are', () => {
    fc.assert(
      fc.property(treeOfPerson, fc.boolean(), (route, hasSink) => {
        const config = stackSchema.parse({ sink: { enabled: hasSink }, alertmanager: { route } });
        expect(told(rootRoute(config), canaryLabels('3f2a'))).toEqual([hasSink ? 'sink' : 'promstack-verify']);
      }),
    );
  });

  it('must take every other alert as they would without the drill', () => {
    fc.assert(
      fc.property(treeOfPerson, labels, (route, alert) => {
        const config = stackSchema.parse({ alertmanager: { route } });
        expect(told(rootRoute(config), alert)).toEqual(told(route, alert));
      }),
    );
  });
});
