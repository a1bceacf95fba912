import { expect, test } from 'vitest';
import { stackSchema } from '../../stack/config.ts';
import { enabledServices } from '../../stack/services.ts';

const problemsOf = (image: string, { ttl, ...rest }: { readonly ttl?: string }): readonly string[] => {
  const config = stackSchema.parse({ ...rest, pushgateway: { image, ttl } });
  return enabledServices(config).flatMap((service) => (service.problems?.(config) ?? []).map(({ message }) => message));
};

test.each<[object, readonly string[]]>([
  [{ sink: { enabled: true } }, ['sink']],
  [{ traffic: { enabled: true } }, ['traffic']],
  [{ sink: { enabled: true }, traffic: { enabled: true } }, ['sink', 'traffic']],
  [{ ttl: '1d' }, ['pushgateway.ttl']],
  [{}, []],
])('a Pushgateway image without busybox must be refused for the services that run in it: %j', (rest, services) => {
  const image = 'prom/pushgateway:v1.12.0-distroless';
  expect(problemsOf(image, rest)).toEqual(
    services.map((service) => `the image ${image} has no busybox, with which ${service} runs`),
  );
  expect(problemsOf('prom/pushgateway:v1.12.0', rest)).toEqual([]);
});
