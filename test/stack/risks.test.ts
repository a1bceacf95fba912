import { describe, expect, it } from 'vitest';
import { stackSchema } from '../../stack/config.ts';
import { findService, risksOf } from '../../stack/services.ts';

describe('data at risk', () => {
  it.each<[service: string, before: object, after: object, risks: readonly string[]]>([
    ['prometheus', {}, { scrape_interval: '1m' }, []],
    ['prometheus', {}, { retention: { time: '30d' } }, []],
    [
      'prometheus',
      { retention: { time: '30d' } },
      { retention: { time: '3d' } },
      ['samples older than 3d are deleted (retention was 30d)'],
    ],
    [
      'prometheus',
      { retention: { size: '20GB' } },
      { retention: { size: '512MB' } },
      ['the oldest samples beyond 512MB are deleted (the limit was 20GB)'],
    ],
    [
      'prometheus',
      {},
      { retention: { size: '20GB' } },
      ['the oldest samples beyond 20GB are deleted (the limit was none)'],
    ],
    ['prometheus', { retention: { size: '20GB' } }, {}, []],
    [
      'prometheus',
      { image: 'prom/prometheus:v3.5.3' },
      { image: 'quay.io/prometheus/prometheus:v2.53.0' },
      [
        'quay.io/prometheus/prometheus:v2.53.0 is older than prom/prometheus:v3.5.3 and may not be able to read its data',
      ],
    ],
    ['prometheus', { image: 'prom/prometheus:v3.5.3' }, { image: 'prom/prometheus:v3.10.0' }, []],
    ['prometheus', { image: 'prom/prometheus:v3.5.3' }, { image: 'my/thing:v1.0.0' }, []],
    [
      'alertmanager',
      {},
      { retention: '24h' },
      ['silences and the notification log older than 24h are deleted (retention was 120h)'],
    ],
    ['alertmanager', { retention: '24h' }, {}, []],
    [
      'pushgateway',
      {},
      { extra_args: ['--persistence.file='] },
      ['pushed metrics are kept only in memory: the next restart loses them'],
    ],
    ['pushgateway', {}, { persistence: { interval: '1s' } }, []],
  ])('%s: from %o to %o', (name, before, after, risks) => {
    const service = findService(name);
    if (service === undefined) throw new Error(`there is no ${name}`);
    const [old, now] = [before, after].map((own) => service.container(stackSchema.parse({ [name]: own })));
    if (old === undefined || now === undefined) throw new Error('there are two specs');
    expect(risksOf(service, old, now)).toEqual(risks);
  });

  it('must not be reported for an older image of a service without data', () => {
    const sink = findService('sink');
    if (sink === undefined) throw new Error('there is no sink');
    const [before, after] = ['v1.11.2', 'v1.10.0'].map((tag) =>
      sink.container(stackSchema.parse({ pushgateway: { image: `prom/pushgateway:${tag}` } })),
    );
    if (before === undefined || after === undefined) throw new Error('there are two specs');
    expect(risksOf(sink, before, after)).toEqual([]);
  });

  it('must include a data volume that is no longer mounted', () => {
    const service = findService('prometheus');
    if (service === undefined) throw new Error('there is a Prometheus');
    const spec = service.container(stackSchema.parse({}));
    expect(risksOf(service, spec, { ...spec, mounts: spec.mounts.filter(({ kind }) => kind === 'config') })).toEqual([
      'the volume prometheus-data at /prometheus is no longer mounted; its data is kept but not used',
    ]);
  });
});
