import { expect, it } from 'vitest';
import { stackFolder } from '../support/stack-folder.ts';

const rules = `groups:
  - name: a
    rules:
      - alert: GatewayGone
        expr: pushgateway_build_inf == 1
      - alert: ServerGone
        expr: prometheus_build_info == 0
`;

it('a check must warn of a metric that is unknown to the running Prometheus, and fail with --strict', async () => {
  await using stack = await stackFolder({ alertmanager: { enabled: false }, sink: { enabled: false } });
  await stack.write('rules/a.yml', rules);
  expect((await stack.run('up')).exitCode).toBe(0);
  await stack.configure({
    alertmanager: { enabled: false },
    sink: { enabled: false },
    prometheus: { rules: ['rules/*.yml'] },
  });
  const warning =
    '▲ rules/a.yml:5:15 GatewayGone uses the metric "pushgateway_build_inf", which the running Prometheus does not have';

  // The first scrape may be pending.
  await expect
    .poll(async () => (await stack.run('check')).stderr, { timeout: 60_000, interval: 2_000 })
    .toContain('did you mean "pushgateway_build_info"?');
  const checked = await stack.run('check');
  expect(checked.exitCode).toBe(0);
  expect(checked.stderr).toContain(warning);
  expect(checked.stderr).not.toContain('ServerGone');
  expect(await stack.run('check', '--strict')).toMatchObject({ exitCode: 2 });

  await stack.write('rules/a.yml', rules.replace('inf == 1', 'inf == 1 # promstack: ignore metric-unknown'));
  expect(await stack.run('check', '--strict')).toMatchObject({ exitCode: 0 });
}, 180_000);
