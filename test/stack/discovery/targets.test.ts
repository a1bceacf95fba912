import { describe, expect, it } from 'vitest';
import { stackSchema } from '../../../stack/config.ts';
import { discoverTargets, explainUnscraped, type ScrapableContainer } from '../../../stack/discovery/targets.ts';

const scrape = { 'prometheus.io/scrape': 'true' };

interface Wanted extends Partial<Omit<ScrapableContainer, 'labels'>> {
  readonly labels?: Readonly<Record<string, string>>;
}

/** A running container with the label and one port, in a network of Prometheus. */
function container({ labels = {}, name = 'shop-app-1', ...rest }: Wanted = {}): ScrapableContainer {
  return {
    ...{ name, hostname: name, state: 'running', networks: ['shop_default'], hostPorts: [], exposedPorts: [8080] },
    labels: { ...scrape, ...labels },
    ...rest,
  };
}

function discover(containers: readonly ScrapableContainer[], keys: object = {}) {
  const config = stackSchema.parse({ name: 'mon', discovery: { labels: true }, ...keys });
  return discoverTargets(containers, ['mon', 'shop_default', 'bridge'], config);
}

/** The only target, or what is wrong with it. */
function only(wanted: Wanted, keys?: object) {
  const { groups, unscraped } = discover([container(wanted)], keys);
  const [group] = groups;
  if (group !== undefined) return { address: group.targets[0], ...group.labels };
  return unscraped.map((refusal) => `${explainUnscraped(refusal)}; ${refusal.tryThis}`).join('\n');
}

const labelled = (key: string, value: string) => only({ labels: { [`prometheus.io/${key}`]: value } });

describe('a label of another program', () => {
  it.each(['port', 'path', 'scheme', 'scrape'])('must not control the terminal that shows the value of %s', (key) => {
    for (const value of ['\u001b[2J', '\u0007\u0000', '\u009b31m', '\u001b]0;title\u0007 \n']) {
      const shown = JSON.stringify(labelled(key, value));
      expect(shown).toMatch(/its label prometheus\.io\/\w+ is \\"<U\+00[019][0-9A-F]>/);
    }
  });
});

describe('the address of a target', () => {
  const published = (...addresses: readonly string[]) =>
    addresses.map((address, at) => ({ address, port: 32_768 + at, containerPort: 8080 }));

  it.each([
    ['a common network', {}, 'shop-app-1:8080'],
    ['the network of another container', { hostname: 'shop-vpn-1' }, 'shop-vpn-1:8080'],
    ['a common network rather than a published port', { hostPorts: published('0.0.0.0') }, 'shop-app-1:8080'],
    ['the network of the host', { networks: ['host'] }, 'host.docker.internal:8080'],
    ['a port of every address', { networks: ['other'], hostPorts: published('0.0.0.0') }, 'host.docker.internal:32768'],
    ['the same with IPv6 alone', { networks: ['bridge'], hostPorts: published('::') }, 'host.docker.internal:32768'],
    ['the same as Podman lists it', { networks: ['podman'], hostPorts: published('') }, 'host.docker.internal:32768'],
    ['a port of one address', { networks: ['bridge'], hostPorts: published('192.0.2.7') }, '192.0.2.7:32768'],
    ['a port of one IPv6 address', { networks: ['bridge'], hostPorts: published('fd00::7') }, '[fd00::7]:32768'],
    [
      'the port that others reach',
      { networks: ['bridge'], hostPorts: published('127.0.0.1', '0.0.0.0') },
      'host.docker.internal:32769',
    ],
  ] as const)('must be found by %s, and the instance be the same', (_, wanted, address) => {
    expect(only(wanted)).toEqual({ address, instance: 'shop-app-1:8080' });
  });

  it.each([
    [
      { networks: ['bridge'] },
      'Prometheus is in none of its networks (bridge), and it publishes no port 8080; connect it to a network of Prometheus: docker network connect mon CONTAINER',
    ],
    [
      { networks: ['bridge'], hostPorts: published('127.0.0.1') },
      'Prometheus is in none of its networks (bridge), and it publishes port 8080 on 127.0.0.1 only; connect it to a network of Prometheus: docker network connect mon CONTAINER',
    ],
    [
      { networks: ['bridge'], hostPorts: [{ address: '', port: 8080, containerPort: 80 }] },
      'Prometheus is in none of its networks (bridge), and it publishes no port 8080; connect it to a network of Prometheus: docker network connect mon CONTAINER',
    ],
    [{ networks: [] }, 'it has no network; run it in a network of Prometheus, such as mon'],
    [{ networks: ['none'] }, 'it has no network; run it in a network of Prometheus, such as mon'],
    [
      { networks: ['z', 'bridge', 'a'] },
      'Prometheus is in none of its networks (a, bridge, z), and it publishes no port 8080; in stack.yml, write `networks: [a]`, then promstack up',
    ],
  ] as const)('must be explained when there is none: %j', (wanted, problem) => {
    expect(only(wanted)).toBe(`the container shop-app-1 is not scraped: ${problem}`);
  });

  it.each([
    [['lab'], '[lab, other]'],
    [['lab', { name: 'x', services: ['grafana'] }], '[lab, {name: x, services: [grafana]}, other]'],
    [[{ name: 'other', services: ['grafana'] }], '[{name: other, services: [grafana, prometheus]}]'],
    // Listed already: `up` is all that is missing.
    [['other'], '[other]'],
  ])('must be explained with the whole line of networks: %j', (networks, line) => {
    expect(only({ networks: ['other'] }, { networks })).toContain(`write \`networks: ${line}\`, then promstack up`);
  });
});

describe('labels', () => {
  it('must set what Prometheus asks and what it stores', () => {
    const labels = {
      'prometheus.io/port': '9100',
      'prometheus.io/scheme': 'https',
      'prometheus.io/path': '/probe?module=icmp&target=a%2Fb',
      'prometheus.io/job': 'icmp checks',
      'com.docker.compose.project': 'shop',
      'com.docker.compose.service': 'app',
    };
    expect(only({ labels, exposedPorts: [] })).toEqual({
      address: 'shop-app-1:9100',
      instance: 'shop-app-1:9100',
      __scheme__: 'https',
      __metrics_path__: '/probe',
      __param_module: 'icmp',
      __param_target: 'a/b',
      job: 'icmp checks',
      compose_project: 'shop',
      compose_service: 'app',
    });
  });

  it.each([
    ['scrape', 'yes', 'write "true" or "false"'],
    ['scrape', 'True', 'write "true" or "false"'],
    ['scrape', '', 'write "true" or "false"'],
    ['port', 'abc', 'from 1 to 65535'],
    ['port', '0', 'from 1 to 65535'],
    ['port', '65536', 'from 1 to 65535'],
    ['port', '8080,9090', 'from 1 to 65535'],
    ['port', '8080/tcp', 'from 1 to 65535'],
    ['port', '', 'from 1 to 65535'],
    ['scheme', 'ftp', 'write http or https'],
    ['scheme', 'HTTPS', 'write http or https'],
    ['path', 'metrics', 'a path such as /metrics'],
    ['path', '/a b', 'a path such as /metrics'],
    ['path', 'http://x/metrics', 'a path such as /metrics'],
    ['path', '/metrics?a-b=1', 'letters, digits and _'],
    ['path', '', 'a path such as /metrics'],
    ['job', ' ', 'write a name'],
  ])('with a bad value must be named: %s is %j', (key, value, hint) => {
    const text = labelled(key, value);
    expect(text).toContain(`the container shop-app-1 is not scraped: its label prometheus.io/${key} is "${value}"; `);
    expect(text).toContain(hint);
    expect(text).toContain(', and recreate the container');
  });

  it('must name the port of a container that does not expose exactly one', () => {
    const why = ', and does not name the one with metrics; add the label prometheus.io/port:';
    expect(only({ exposedPorts: [] })).toBe(
      `the container shop-app-1 is not scraped: it exposes no port${why} "8080" with that port`,
    );
    expect(only({ exposedPorts: [9113, 80, 443] })).toBe(
      `the container shop-app-1 is not scraped: it exposes the ports 80, 443 and 9113${why} "80" with that port`,
    );
  });
});

describe('containers', () => {
  const named = (...wanted: readonly Wanted[]) => wanted.map(container);
  const instances = (containers: readonly ScrapableContainer[], keys?: object) =>
    discover(containers, keys).groups.map(({ labels }) => labels['instance']);

  it.each(['created', 'exited', 'dead', 'removing'])('that are %s must be left out without a word', (state) => {
    expect(discover([container({ state }), container({ state, labels: { 'prometheus.io/port': 'x' } })])).toEqual({
      groups: [],
      unscraped: [],
    });
  });

  it.each(['paused', 'restarting'])('that are %s must stay targets, so that their alerts fire', (state) => {
    expect(instances([container({ state })])).toEqual(['shop-app-1:8080']);
    // While it restarts it publishes no port, which is not a mistake.
    expect(discover([container({ state, networks: ['bridge'] })])).toEqual({ groups: [], unscraped: [] });
  });

  it('that say false, or nothing, must be left out', () => {
    const without = { ...container(), labels: { 'prometheus.io/port': '1' } };
    expect(discover([container({ labels: { 'prometheus.io/scrape': 'false' } }), without])).toEqual({
      groups: [],
      unscraped: [],
    });
  });

  it('must be restricted by project and by network, the problems too', () => {
    const project = (name: string) => ({ 'com.docker.compose.project': name });
    const all = named(
      { name: 'a', labels: project('shop') },
      { name: 'b', labels: project('crm') },
      { name: 'c', networks: ['mon', 'x'] },
      { name: 'd', networks: ['x'], labels: project('crm') },
    );
    expect(instances(all)).toEqual(['a:8080', 'b:8080', 'c:8080']);
    const restricted = (filter: object) => discover(all, { discovery: { labels: true, ...filter } });
    expect(restricted({ projects: ['shop'] })).toMatchObject({ groups: [{ targets: ['a:8080'] }], unscraped: [] });
    expect(restricted({ networks: ['x'] })).toMatchObject({
      groups: [{ targets: ['c:8080'] }],
      unscraped: [{ containers: ['d'] }],
    });
    expect(restricted({ networks: ['x'], projects: ['shop', 'other'] })).toEqual({ groups: [], unscraped: [] });
  });

  it('must be in the order of their names, whatever order the engine has', () => {
    const names = ['b', 'a', 'c'].map((name) => ({ name }));
    expect(instances(named(...names))).toEqual(['a:8080', 'b:8080', 'c:8080']);
    expect(discover(named(...names))).toEqual(discover(named(...names.toReversed())));
  });

  it('with the same problem must be one line', () => {
    const lines = discover(
      Array.from({ length: 7 }, (_, at) => container({ name: `app-${at}`, networks: ['x'] })),
    ).unscraped.map(explainUnscraped);
    expect(lines).toEqual([
      '7 containers (app-0, app-1, app-2, app-3, app-4 and 2 more) are not scraped: Prometheus is in none of its networks (x), and it publishes no port 8080',
    ]);
  });
});
