import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findTargets } from '../../../scripts/state/discovery.ts';
import { packageRoot } from '../../../scripts/util/package-root.ts';
import { stackSchema } from '../../../stack/config.ts';
import { explainUnscraped } from '../../../stack/discovery/targets.ts';
import { fakeDaemon, json } from '../../support/fake-daemon.ts';

/** A container as an engine has listed and inspected it. */
interface Recorded {
  readonly listed: { readonly Id: string; readonly Names: readonly string[] };
  readonly inspected: object;
}

/** Containers of test/recorded, of one set on each engine. */
function recorded(engine: string): readonly Recorded[] {
  const text = readFileSync(join(packageRoot(), 'test/recorded/containers', `${engine}.jsonl`), 'utf8');
  return text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Recorded);
}

/** The Prometheus of the stack `mon`, in a network of the recorded containers. */
const prometheus = {
  Id: 'prometheus',
  Names: ['/mon-prometheus'],
  Image: 'prom/prometheus',
  ImageID: 'prom/prometheus',
  State: 'running',
  Status: 'Up 2 minutes',
  Labels: { 'dev.promstack.stack': 'mon', 'prometheus.io/scrape': 'true' },
  NetworkSettings: { Networks: { mon: {}, rec_default: {} } },
};

async function find(engine: string) {
  const containers = recorded(engine);
  await using daemon = await fakeDaemon(
    {
      'GET /containers/json': json(200, [...containers.map(({ listed }) => listed), prometheus]),
      ...Object.fromEntries(
        containers.map(({ listed, inspected }) => [`GET /containers/${listed.Id}/json`, json(200, inspected)]),
      ),
      'GET /containers/prometheus/archive': json(404, { message: 'no such file' }),
    },
    {},
    engine.startsWith('podman') ? 'podman' : 'docker',
  );
  const found = await findTargets(daemon.engine, stackSchema.parse({ name: 'mon', discovery: { labels: true } }));
  return {
    targets: found?.groups.map(({ targets: [address], labels }) => `${labels['instance']} at ${address}`),
    job: found?.groups.flatMap(({ labels }) => labels['compose_project'] ?? []),
    problems: found?.unscraped.map(explainUnscraped),
    isWritten: found?.isWritten,
  };
}

describe.each(['docker-20.10.24', 'docker-28.5.2', 'podman-4.3.1'])('the containers of %s', (engine) => {
  it('must be the same targets, with the only port that they expose', async () => {
    expect(await find(engine)).toEqual({
      targets: [
        'rec-beside:29194 at rec-network:29194',
        'rec-host:29193 at host.docker.internal:29193',
        'rec-network:9091 at rec-network:9091',
        'rec-published:9091 at host.docker.internal:29191',
        'rec-udp:9091 at rec-udp:9091',
      ],
      job: ['rec'],
      problems: [
        expect.stringMatching(
          /^the container rec-local is not scraped: Prometheus is in none of its networks \((?:bridge|podman)\), and it publishes port 9091 on 127\.0\.0\.1 only$/,
        ),
        'the container rec-two-ports is not scraped: it exposes the ports 8080 and 9091, and does not name the one with metrics',
      ],
      isWritten: false,
    });
  });
});
