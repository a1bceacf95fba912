import { describe, expect, test } from 'vitest';
import { readRenderedRouting } from '../../../scripts/servers/alertmanager.ts';
import { parseRoute, receiversFor } from '../../../stack/alertmanager/routing-tree.ts';
import { alertRouting } from '../../../stack/alertmanager/service.ts';
import { stackSchema } from '../../../stack/config.ts';
import { lintContext } from '../../../stack/lint/lint.ts';
import type { RenderedFile } from '../../../stack/model.ts';
import { findService } from '../../../stack/services.ts';

// A user's template may use merge keys for what many routes have in common.
const route = (team: string): string =>
  `    - <<: *common\n      receiver: ${team}\n      matchers: ['team="${team}"']\n`;
const teams = Array.from({ length: 150 }, (_, at) => `team-${at}`);
const content = `x: &common {continue: false, group_wait: 7s}
route:
  <<: *common
  receiver: chat
  routes:
${teams.map(route).join('')}receivers:
  - name: chat
`;

describe('an alertmanager.yml with keys that are merged', () => {
  const file: RenderedFile = {
    service: 'alertmanager',
    path: 'alertmanager.yml',
    content,
    mode: 0o444,
    origin: 'a test',
  };
  const config = stackSchema.parse({ name: 'demo' });
  const service = findService('alertmanager');
  if (service === undefined) throw new Error('there is a service alertmanager');
  const services = [{ service, container: service.container(config), files: [file], revision: 'r' }];
  const labels = { alertname: 'A', team: 'team-149' };

  test('must be traced like in Alertmanager while that does not respond', () => {
    const { file: read } = readRenderedRouting({ config, folder: '/stack', revision: 'r', services, tests: [] });
    const root = parseRoute(read['route']);
    expect(root === undefined ? undefined : receiversFor(root, labels)).toEqual(['team-149']);
    expect(root?.timing.groupWait).toBe('7s');
  });

  test('must be read equally everywhere', () => {
    expect(alertRouting([file])?.(labels).certain).toEqual(['team-149']);
    const { root } = lintContext(config, () => [file]);
    expect(root === undefined ? undefined : receiversFor(root, labels)).toEqual(['team-149']);
  });

  test('that cannot be parsed must have no routes', () => {
    expect(alertRouting([{ ...file, content: 'route: {' }])).toBeUndefined();
    expect(alertRouting([])).toBeUndefined();
  });
});
