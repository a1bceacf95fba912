import { expect, test } from 'vitest';
import { toChanges, upstreamVersion } from '../../../../scripts/engine/images/packages.ts';
import { recipeFor } from '../../../../scripts/engine/images/recipes.ts';

test.each([
  ['3.5.3+ds1-6', '3.5.3'],
  ['0.33.1-5', '0.33.1'],
  ['1:2.42.0+ds-5+b5', '2.42.0'],
  ['2.53.3+dfsg-1~deb13u1', '2.53.3'],
  ['3.0.0~rc1+ds-1', '3.0.0-rc1'],
  ['1.11.2', '1.11.2'],
])('the version %s of Debian must be %s of upstream', (debian, upstream) => {
  expect(upstreamVersion(debian)).toBe(upstream);
});

test('an image must run like the official one, and have labels that describe it', () => {
  const recipe = recipeFor('prom/prometheus:v3.5.3');
  if (recipe === undefined) throw new Error('there is no recipe');
  const files = [
    { name: 'prometheus', version: '3.5.3+ds1-6' },
    { name: 'libc6', version: '2.43-7' },
  ];
  expect(toChanges(recipe, files, 'sid', '3.5.3')).toEqual([
    'USER 65534',
    'WORKDIR /prometheus',
    'EXPOSE 9090',
    'VOLUME ["/prometheus"]',
    'ENTRYPOINT ["/bin/prometheus"]',
    'CMD ["--config.file=/etc/prometheus/prometheus.yml","--storage.tsdb.path=/prometheus"]',
    'LABEL dev.promstack.program="prometheus"',
    'LABEL dev.promstack.packages="libc6 2.43-7, prometheus 3.5.3+ds1-6"',
    'LABEL org.opencontainers.image.title="prometheus"',
    'LABEL org.opencontainers.image.version="3.5.3"',
    'LABEL org.opencontainers.image.description="prometheus from Debian sid\'s packages, built by promstack; not the official image"',
  ]);
});
