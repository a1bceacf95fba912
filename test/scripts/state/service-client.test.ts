import { expect, it } from 'vitest';
import { openServiceClient } from '../../../scripts/state/service-client.ts';
import { fakeEngine } from '../../support/engine.ts';

it.each<[host: string, bind: string, url: string]>([
  ['127.0.0.1', '127.0.0.1', 'http://127.0.0.1:9090'],
  ['127.0.0.1', '0.0.0.0', 'http://127.0.0.1:9090'],
  ['127.0.0.1', '::1', 'http://[::1]:9090'],
  ['build1', '0.0.0.0', 'http://build1:9090'],
  ['2001:db8::1', '0.0.0.0', 'http://[2001:db8::1]:9090'],
  ['2001:db8::1', '::', 'http://[2001:db8::1]:9090'],
  ['build1', '10.0.0.1', 'http://10.0.0.1:9090'],
])('a port of the engine on %s, published on %s, must be opened at %s', (host, bind, url) => {
  const location = { address: 'tcp://it', host, isLocal: host === '127.0.0.1' };
  const reach = openServiceClient(fakeEngine({ location }));
  reach.locate('prometheus', { container: 'id', ports: [{ bind, host: 9090, container: 9090 }] });
  expect(reach.url('prometheus', 9090)).toBe(url);
  reach.close();
});
