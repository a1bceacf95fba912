import { expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { expectFine, expectSettled } from '../support/revisions.ts';
import { getJson, query } from '../support/servers.ts';
import { stackFolder } from '../support/stack-folder.ts';

const alone = { alertmanager: { enabled: false }, sink: { enabled: false }, pushgateway: { enabled: false } };

test('a Prometheus in agent mode must send its samples on, and show which revision it runs', async () => {
  await using central = await stackFolder({
    ...alone,
    prometheus: { extra_args: ['--web.enable-remote-write-receiver'], shipped_rules: false },
  });
  expectFine(await central.run('up'));
  const agentKeys = (site: string) => ({
    sink: { enabled: false },
    pushgateway: { enabled: false },
    networks: [central.name],
    prometheus: {
      mode: 'agent',
      scrape_interval: '1s',
      external_labels: { site },
      remote_write: [{ url: `http://${central.name}-prometheus:9090/api/v1/write` }],
    },
  });
  await using agent = await stackFolder(agentKeys('one'));
  expectFine(await agent.run('up'));
  await expectSettled(agent);
  const sites = async () =>
    new Set((await query(central.url('prometheus'), 'sum by (site) (up{site!=""})')).map(String));
  await eventually(async () => expect(await sites()).toEqual(new Set(['{site="one"} 1'])));

  // A change is reloaded and confirmed by the config that the agent shows.
  await agent.configure(agentKeys('two'));
  const reload = await agent.run('reload');
  expectFine(reload);
  const { data } = await getJson<{ data: { yaml: string } }>(agent.url('prometheus', '/api/v1/status/config'));
  const [, revision = ''] = /promstack-revision-(\w+)\.yml/.exec(data.yaml) ?? [];
  const status = await agent.run('status', '--json');
  expect(JSON.parse(status.stdout)).toMatchObject({ ok: true, services: [{ service: 'prometheus', revision }] });
  await eventually(async () => expect([...(await sites())]).toContain('{site="two"} 1'));

  // A config that promtool refuses changes nothing.
  await agent.configure({ ...agentKeys('three'), prometheus: { ...agentKeys('three').prometheus, rules: ['*.yml'] } });
  const refused = await agent.run('reload');
  expect(refused.exitCode).toBe(2);
  expect(refused.stderr).toContain('an agent evaluates no rules');
  await agent.configure(agentKeys('two'));
  const verify = await agent.run('verify');
  expect(verify.exitCode).not.toBe(0);
  expect(verify.stderr).toContain('enable the Pushgateway and Prometheus, in server mode');

  // Back to a server: the volume of the agent is kept, and the server has one of its own.
  await agent.configure({ ...alone, prometheus: { scrape_interval: '1s' } });
  expectFine(await agent.run('up'));
  await expectSettled(agent);
});
