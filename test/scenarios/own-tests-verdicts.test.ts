import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { stringify } from 'yaml';
import { type InhibitRule, isMuted, parseInhibitRule } from '../../stack/alertmanager/inhibition.ts';
import { parseRoute, receiversFor } from '../../stack/alertmanager/routing-tree.ts';
import { eventually } from '../support/eventually.ts';
import { openTools } from '../support/tools.ts';

const label = fc.constantFrom('a', 'b', 'c');
const value = fc.constantFrom('', '1', '2', '12');
const labels = fc.dictionary(label, fc.constantFrom('1', '2', '12'), { noNullPrototype: true });
const matcher = fc
  .tuple(label, fc.constantFrom('=', '!=', '=~', '!~'), value, fc.constantFrom('', '.*', '|2'))
  .map(([name, operator, text, more]) => `${name}${operator}"${text}${operator.includes('~') ? more : ''}"`);

/** The same on every run: what fails once fails again. */
const sample = <T>(arbitrary: fc.Arbitrary<T>, count: number): readonly T[] =>
  fc.sample(arbitrary, { numRuns: count, seed: 7 });

test("promstack's routing must equal that of amtool, for any tree and any alert", async () => {
  const { route } = fc.letrec<{ route: object }>((tie) => ({
    route: fc.record(
      {
        receiver: fc.constantFrom('r0', 'r1', 'r2', 'r3'),
        matchers: fc.array(matcher, { maxLength: 2 }),
        continue: fc.boolean(),
        routes: fc.array(tie('route'), { maxLength: 2, depthIdentifier: 'route' }),
      },
      { requiredKeys: ['matchers'] },
    ),
  }));
  const trees = sample(fc.array(route, { minLength: 1, maxLength: 4 }), 25).map((routes) => ({
    receiver: 'r0',
    routes,
  }));
  const cases = trees.flatMap((tree, at) => sample(labels, 6).map((alert) => ({ at, tree, alert })));
  const receivers = ['r0', 'r1', 'r2', 'r3'].map((name) => ({ name }));
  const configs = trees.map((tree, at) => [`${at}.yml`, stringify({ route: tree, receivers })] as const);
  const script = cases
    .map(({ at, alert }) => {
      const pairs = Object.entries(alert).map(([name, text]) => `${name}=${text}`);
      // Without any label amtool shows the tree in place of routing.
      return `echo "$(amtool config routes test --config.file /files/${at}.yml ${['x=y', ...pairs].join(' ')})"`;
    })
    .join('\n');
  await using tools = await openTools({
    service: 'alertmanager',
    files: { ...Object.fromEntries(configs), 'all.sh': script },
  });
  const { stdout } = await tools.run('sh', '/files/all.sh');
  const ours = cases.map(({ tree, alert }) => {
    const root = parseRoute(tree);
    if (root === undefined) throw new Error('the tree can be read');
    return receiversFor(root, { ...alert, x: 'y' });
  });
  // amtool names a receiver once for each route that leads there.
  const theirs = stdout
    .trimEnd()
    .split('\n')
    .map((line) => [...new Set(line.split(','))]);
  expect(theirs.length).toBe(cases.length);
  expect(ours).toEqual(theirs);
  // Otherwise the trees would show nothing.
  expect(new Set(ours.map(String)).size).toBeGreaterThan(3);
});

test("promstack's inhibition must equal that of Alertmanager", async () => {
  const side = fc.array(matcher, { minLength: 1, maxLength: 2 });
  const rule = fc.record({
    source_matchers: side,
    target_matchers: side,
    equal: fc.subarray(['a', 'b', 'c'], { maxLength: 1 }),
  });
  // Each rule speaks of alerts of its own, so that one server tries them all. Of two sources that are equal in the
  // labels under "equal" Alertmanager remembers one: with one source and one target there is nothing to choose.
  const rules = sample(rule, 40).map((one, at) => ({
    ...one,
    source_matchers: [...one.source_matchers, `set="${at}"`],
    target_matchers: [...one.target_matchers, `set="${at}"`],
  }));
  const alerts = rules.flatMap((_, at) =>
    sample(fc.tuple(labels, labels), 40)
      .slice(at, at + 1)
      .flatMap(([one, other]) => [
        { alertname: 'one', set: String(at), ...one },
        { alertname: 'other', set: String(at), ...other },
      ]),
  );
  const config = stringify({ route: { receiver: 'r' }, receivers: [{ name: 'r' }], inhibit_rules: rules });
  await using tools = await openTools({
    service: 'alertmanager',
    files: { 'alertmanager.yml': config, 'alerts.json': JSON.stringify(alerts.map((one) => ({ labels: one }))) },
    command: [
      'alertmanager',
      '--config.file=/files/alertmanager.yml',
      '--storage.path=/tmp/data',
      '--cluster.listen-address=',
    ],
  });
  await eventually(async () =>
    expect((await tools.run('wget', '-qO-', 'http://127.0.0.1:9093/-/ready')).exitCode).toBe(0),
  );
  const post = ['wget', '-qO-', '--header', 'Content-Type: application/json', '--post-data'];
  const posted = await tools.run(
    ...post,
    JSON.stringify(alerts.map((one) => ({ labels: one }))),
    'http://127.0.0.1:9093/api/v2/alerts',
  );
  expect(posted.exitCode).toBe(0);

  const parsed = rules.map(parseInhibitRule).filter((one): one is InhibitRule => one !== undefined);
  const ours = alerts
    .filter((alert) => isMuted(alert, alerts, parsed) === true)
    .map((one) => `${one.set} ${one.alertname}`);
  await eventually(async () => {
    const { stdout } = await tools.run(
      'wget',
      '-qO-',
      'http://127.0.0.1:9093/api/v2/alerts?active=false&inhibited=true',
    );
    const seen = JSON.parse(stdout) as { labels: Record<string, string>; status: { inhibitedBy: string[] } }[];
    const theirs = seen
      .filter(({ status }) => status.inhibitedBy.length > 0)
      .map((one) => `${one.labels['set']} ${one.labels['alertname']}`);
    expect(theirs.toSorted()).toEqual(ours.toSorted());
  });
  expect(ours.length).toBeGreaterThan(5);
  expect(ours.length).toBeLessThan(alerts.length - 5);
});
