import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { stackFolder } from '../support/stack-folder.ts';

const rules = `groups:
  - name: shop
    rules:
      - alert: NoOrders
        expr: orders_total == 0
        labels: { severity: critical }
`;

const ruleTest = (value: number): string => `rule_files:
  - ../rules/shop.yml
  - ../rules/targets.yml
tests:
  - name: no orders
    interval: 1m
    input_series:
      - series: orders_total
        values: ${value}x5
    alert_rule_test:
      - alertname: NoOrders
        eval_time: 2m
        exp_alerts:
          - exp_labels: { severity: critical }
`;

const routeTest = (receiver: string): string => `routes:
  - name: what is critical pages
    labels: { severity: critical }
    receivers: [${receiver}]
`;

it("a change that fails a user's test must be refused, without changing anything running", async () => {
  const alertmanager = {
    receivers: [{ name: 'mail' }, { name: 'pager' }],
    route: { receiver: 'mail', routes: [{ matchers: ['severity="critical"'], receiver: 'pager' }] },
  };
  await using stack = await stackFolder({
    pushgateway: { enabled: false },
    alertmanager,
    prometheus: { rules: ['rules/*.yml'] },
  });
  await stack.write('rules/shop.yml', rules);
  await stack.write('tests/shop.yml', ruleTest(0));
  await stack.write('tests/routes.yml', routeTest('pager'));
  const up = await stack.run('up');
  expect(up).toMatchObject({ exitCode: 0 });
  const running = await configOf(stack.url('alertmanager', '/api/v2/status'));

  // An edit of a test changes nothing running, but the check runs it.
  await stack.write('tests/routes.yml', routeTest('mail'));
  const checked = await stack.run('check');
  expect(checked.exitCode).toBe(2);
  expect(checked.stderr).toContain(
    '✖ tests/routes.yml:4:16 route test "what is critical pages" failed: {severity="critical"} should notify mail, but notifies pager',
  );

  await stack.write('tests/routes.yml', routeTest('pager'));
  await stack.configure({
    pushgateway: { enabled: false },
    prometheus: { rules: ['rules/*.yml'] },
    alertmanager: { ...alertmanager, route: { receiver: 'mail' } },
  });
  const rerouted = await stack.run('reload');
  expect(rerouted.exitCode).toBe(2);
  expect(rerouted.stderr).toContain('should notify pager, but notifies mail');
  expect(rerouted.stderr).toContain('Nothing was changed.');
  expect(await configOf(stack.url('alertmanager', '/api/v2/status'))).toBe(running);

  await stack.configure({ pushgateway: { enabled: false }, prometheus: { rules: ['rules/*.yml'] }, alertmanager });
  await stack.write('rules/shop.yml', rules.replace('== 0', '< 0'));
  const reruled = await stack.run('reload');
  expect(reruled.exitCode).toBe(2);
  expect(reruled.stderr).toContain(
    '✖ tests/shop.yml:11:9 promtool: no orders: at 2m the alert NoOrders should fire as {alertname="NoOrders", severity="critical"}, but it does not',
  );
  const live = await fetch(stack.url('prometheus', '/api/v1/rules'));
  expect(await live.text()).toContain('orders_total == 0');
  expect(await readFile(join(stack.path, 'rules/shop.yml'), 'utf8')).toContain('< 0');
});

async function configOf(url: string): Promise<string> {
  const { config } = (await (await fetch(url)).json()) as { config: { original: string } };
  return config.original;
}
