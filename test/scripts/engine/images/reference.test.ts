import { expect, test } from 'vitest';
import { registryOf, splitReference, underMirror } from '../../../../scripts/engine/images/reference.ts';

const digest = `sha256:${'a'.repeat(64)}`;

test.each([
  ['prom/prometheus:v3.5.3', 'prom/prometheus', 'v3.5.3'],
  ['busybox', 'busybox', 'latest'],
  ['registry.local:5000/prom/prometheus', 'registry.local:5000/prom/prometheus', 'latest'],
  ['registry.local:5000/prom/prometheus:v3', 'registry.local:5000/prom/prometheus', 'v3'],
  [`prom/prometheus@${digest}`, 'prom/prometheus', digest],
  [`prom/prometheus:v3@${digest}`, 'prom/prometheus', digest],
])('%s must be taken apart', (reference, repository, tag) => {
  expect(splitReference(reference)).toEqual({ repository, tag });
});

test.each([
  ['prom/prometheus:v3', undefined],
  ['busybox:1', undefined],
  ['quay.io/prometheus/prometheus:v3', 'quay.io'],
  ['localhost/x:1', 'localhost'],
  ['registry:5000/x:1', 'registry:5000'],
])('the registry of %s must be %s', (reference, registry) => {
  expect(registryOf(reference)).toBe(registry);
});

test.each([
  ['prom/prometheus:v3.5.3', 'registry.local:5000', 'registry.local:5000/prom/prometheus:v3.5.3'],
  ['quay.io/prometheus/prometheus:v3', 'registry.local:5000/', 'registry.local:5000/prometheus/prometheus:v3'],
  ['prom/prometheus:v3', 'registry.local/hub', 'registry.local/hub/prom/prometheus:v3'],
])('%s under the mirror %s must be %s', (reference, mirror, expected) => {
  expect(underMirror(reference, mirror)).toBe(expected);
});
