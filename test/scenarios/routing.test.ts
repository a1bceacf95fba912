import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import type { Labels } from '../../stack/alertmanager/matcher.ts';
import { parseRoute, receiversFor } from '../../stack/alertmanager/routing-tree.ts';
import { openTools } from '../support/tools.ts';

const config = `
route:
  receiver: default
  routes:
    - receiver: db
      matchers: ['team="db"', 'env!="dev"']
      routes:
        - receiver: db-night
          matchers: ['severity=~"page|critical"', 'night="yes"']
        - receiver: db-audit
          matchers: [audit=~".+"]
          continue: true
        - receiver: db-mail
          matchers: ['severity=~"warn.*"']
    - receiver: audit
      matchers: ['audit!=""']
      continue: true
    - receiver: pager
      match: {severity: page}
    - receiver: mail
      match_re: {severity: '(?i)warn.*'}
    - matchers: ['alertname=~"Qu[[:alpha:]]+"']
      routes:
        - receiver: nobody
          matchers: ['{env="dev", "team"!~"a|b"}']
    - receiver: older
      matchers: ['path=/a b']
receivers:
${['default', 'db', 'db-night', 'db-audit', 'db-mail', 'audit', 'pager', 'mail', 'nobody', 'older'].map((name) => `  - name: ${name}`).join('\n')}
`;

const values: Readonly<Record<string, readonly string[]>> = {
  team: ['', 'db', 'a'],
  severity: ['', 'page', 'WARNING', 'warning'],
  audit: ['', '1'],
  env: ['', 'dev'],
};

describe('the receivers of an alert', () => {
  it('must equal those of amtool for the same tree, for every label set', async () => {
    const root = parseRoute((parse(config) as { route: unknown }).route);
    if (root === undefined) throw new Error('the tree can be read');
    const sets: readonly Labels[] = [
      ...Object.entries(values).reduce<readonly Labels[]>(
        (all, [name, some]) =>
          all.flatMap((labels) => some.map((value) => (value === '' ? labels : { ...labels, [name]: value }))),
        [{}],
      ),
      { team: 'db', severity: 'critical', night: 'yes' },
      { alertname: 'Quiet', env: 'dev' },
      { alertname: 'Quiet', env: 'dev', team: 'a' },
      { alertname: 'Qu1', env: 'dev' },
      { path: '/a b' },
    ];
    await using tools = await openTools({ service: 'alertmanager', files: { 'alertmanager.yml': config } });
    // One call for all: starting a program in a container takes far longer than the test itself.
    const script = sets
      .map((labels) => {
        const pairs = Object.entries(labels).map(([name, value]) => `'${name}=${value}'`);
        return `amtool config routes test --config.file=/files/alertmanager.yml ${pairs.join(' ')}`;
      })
      .join('\n');
    const { stdout } = await tools.run('sh', '-c', script);
    // It also warns, on the same stream, of a matcher that only the older grammar accepts.
    const said = stdout.split('\n').filter((line) => /^[\w,-]+$/.test(line));
    expect(said).toHaveLength(sets.length);
    const ours = sets.map((labels) => receiversFor(root, labels).join(','));
    expect(ours.map((receivers, at) => ({ labels: sets[at], receivers }))).toEqual(
      said.map((receivers, at) => ({ labels: sets[at], receivers })),
    );
  });
});
