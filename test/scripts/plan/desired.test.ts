import { expect, it } from 'vitest';
import { hashSpec } from '../../../scripts/plan/desired.ts';
import { desiredStack } from '../../support/states.ts';

it('the order of labels must not be a reason to recreate a container', () => {
  const [hash, reordered, changed] = [
    { team: 'shop', env: 'prod' },
    { env: 'prod', team: 'shop' },
    { env: 'prod', team: 'pay' },
  ].map((labels) => desiredStack(['prometheus'], { labels }).services[0]?.specHash);
  expect(hash).toBe(reordered);
  expect(hash).not.toBe(changed);
});

it('labels of desktop tools must be on containers only, and no reason to recreate one', () => {
  const desired = desiredStack(['prometheus', 'alertmanager']);
  const grouped = desired.services.map(({ labels, spec, specHash }) => {
    expect(specHash).toBe(hashSpec(spec));
    expect(JSON.stringify(spec)).not.toContain('com.docker');
    return Object.entries(labels).filter(([name]) => name.startsWith('com.docker.'));
  });
  // With the label `config-hash`, `docker compose down` would remove the containers.
  expect(grouped).toEqual(
    ['prometheus', 'alertmanager'].map((service) => [
      ['com.docker.compose.project', 'demo'],
      ['com.docker.compose.service', service],
    ]),
  );
  expect(JSON.stringify(desired.volumes)).not.toContain('com.docker');
});
