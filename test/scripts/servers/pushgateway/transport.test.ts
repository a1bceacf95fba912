import { describe, expect, test } from 'vitest';
import { parseGatewayUrl, stackGatewayUrl } from '../../../../scripts/servers/pushgateway/transport.ts';
import { stackSchema } from '../../../../stack/config.ts';

describe('a URL', () => {
  test.each([
    ['localhost:9091', 'http://localhost:9091'],
    ['http://host:9091/', 'http://host:9091'],
    ['https://host/push/', 'https://host/push'],
    ['[::1]:9091', 'http://[::1]:9091'],
  ])('%s must be read as %s', (text, base) => {
    expect(parseGatewayUrl(text)).toMatchObject({ ok: true, value: { base } });
  });

  test.each([
    ['http://', '"http://" is not a URL', 'write http://HOST:9091'],
    [
      'unix:///run/x',
      'the URL of a Pushgateway begins with http:// or https://, not with unix://',
      'write http://HOST:9091',
    ],
    ['http://host:9091/p/metrics/job/x', 'the URL must be that of the Pushgateway itself', 'write http://host:9091/p'],
    ['http://host?x=1', 'the URL must be that of the Pushgateway itself', 'write http://host/'],
  ])('%s must be refused', (text, message, hint) => {
    expect(parseGatewayUrl(text)).toMatchObject({ ok: false, error: [{ message, hint }] });
  });
});

describe("the stack's own Pushgateway", () => {
  test.each([
    [{}, 'http://127.0.0.1:9091'],
    [{ bind: '0.0.0.0', pushgateway: { port: 19091 } }, 'http://127.0.0.1:19091'],
    [{ bind: '::' }, 'http://[::1]:9091'],
    [{ bind: 'fe80::1' }, 'http://[fe80::1]:9091'],
    [{ bind: '192.0.2.7' }, 'http://192.0.2.7:9091'],
    [{ pushgateway: { extra_args: ['--web.external-url=https://host/x'] } }, 'http://127.0.0.1:9091'],
  ])('of %j must be at %s', (keys, url) => {
    expect(stackGatewayUrl(stackSchema.parse(keys))).toBe(url);
  });
});
