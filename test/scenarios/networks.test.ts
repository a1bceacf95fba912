import Docker from 'dockerode';
import { describe, expect, it } from 'vitest';
import { connect } from '../../scripts/engine/connect.ts';
import { removeNetwork } from '../support/engine.ts';
import { eventually } from '../support/eventually.ts';
import { containerIds, expectFine, refusedReceiver } from '../support/revisions.ts';
import { getText, query } from '../support/servers.ts';
import { type StackFolder, stackFolder } from '../support/stack-folder.ts';
import { imageOf } from '../support/tools.ts';

const docker = new Docker();

describe('the networks of an app', { timeout: 180_000 }, () => {
  it('must be joined, kept with those joined by hand, and left to the app', async () => {
    await using stack = await stackFolder();
    await using app = await appOf(stack);
    const keys = {
      pushgateway: { enabled: false },
      sink: { enabled: false },
      prometheus: {
        scrape_interval: '1s',
        scrape_configs: [{ job_name: 'web', static_configs: [{ targets: ['web:9091'] }] }],
      },
    };
    const joined = { ...keys, networks: [app.network] };
    await stack.configure(joined);
    expectFine(await stack.run('up'));
    // The app has a container of the name alertmanager, too.
    await eventually(async () =>
      expect(await query(stack.url('prometheus'), 'up{job=~"web|alertmanager"}')).toEqual([
        'up{instance="alertmanager:9093",job="alertmanager"} 1',
        'up{instance="web:9091",job="web"} 1',
      ]),
    );

    const byHand = { Aliases: ['metrics'], IPAMConfig: { IPv4Address: app.address } };
    await docker
      .getNetwork(app.lab)
      .connect({ Container: `${stack.name}-prometheus`, EndpointConfig: byHand as Docker.EndpointSettings });
    const tryThis = `to keep it over \`promstack down\` too, write ${app.lab} under \`networks\` in stack.yml`;
    const message = `it was connected to the network ${app.lab} by hand`;
    expect(JSON.parse((await stack.run('plan', '--json')).stdout)).toMatchObject({
      drift: [{ service: 'prometheus', message, try: tryThis }],
      steps: [],
    });
    const before = await networksOf(stack);
    expect(before[app.lab]).toMatchObject({ address: app.address, aliases: expect.arrayContaining(['metrics']) });

    // A network that does not exist: nothing is touched.
    const ids = await containerIds(stack);
    await stack.configure({ ...keys, labels: { a: 'b' }, networks: [app.network, 'web'] });
    const polling = poll(stack.url('prometheus', '/-/ready'));
    const refused = await stack.run('up');
    expect(await polling.end()).toEqual([]);
    expect(refused.exitCode).toBe(2);
    expect(refused.stderr).toMatch(
      /✖ stack\.yml:\d+:\d+ the engine has no network "web"\n[\s\S]*1 problem\. Nothing was changed\.\n$/,
    );
    expect(refused.stderr).toContain(app.network);
    expect(await containerIds(stack)).toEqual(ids);

    // All containers are recreated, and again by the rollback.
    await stack.configure({ ...joined, ...refusedReceiver, labels: { a: 'b' } });
    const failed = await stack.run('up');
    expect(failed.exitCode).toBe(1);
    expect(failed.stderr).toContain('everything was rolled back to what ran before, and that is confirmed');
    expect((await containerIds(stack))[`${stack.name}-prometheus`]).not.toBe(ids[`${stack.name}-prometheus`]);
    expect(await networksOf(stack)).toEqual(before);

    await stack.configure(keys);
    const left = await stack.run('up', '--json');
    expect(JSON.parse(left.stdout).changes).toMatchObject([
      { service: 'prometheus', action: 'recreate', reasons: [`network ${app.network} removed`] },
      { service: 'alertmanager', action: 'none' },
    ]);
    const { [app.network]: _left, ...others } = before;
    expect(await networksOf(stack)).toEqual(others);

    const down = await stack.run('down');
    expectFine(down);
    expect(down.stderr).toContain(`${stack.name}-prometheus was connected to ${app.lab} by hand;`);
    expect((await docker.getNetwork(app.network).inspect()).Name).toBe(app.network);
  });
});

/** The names and addresses of the Prometheus of a stack beside those that the engine makes for each container. */
async function networksOf(
  stack: StackFolder,
): Promise<Readonly<Record<string, { address: string; aliases: string[] }>>> {
  const { Id, NetworkSettings } = await docker.getContainer(`${stack.name}-prometheus`).inspect();
  const networks = Object.entries(NetworkSettings.Networks).map(([name, { IPAddress, Aliases }]) => [
    name,
    // Only in the network joined by hand it has an address that somebody chose.
    {
      address: name.endsWith('-lab') ? IPAddress : '',
      aliases: [...(Aliases ?? [])].filter((alias) => !Id.startsWith(alias)).sort(),
    },
  ]);
  return Object.fromEntries(networks);
}

/** Two networks, and in one of them a container that is both `web` and `alertmanager`. */
async function appOf(stack: StackFolder) {
  const [network, lab] = [`${stack.name}-app_default`, `${stack.name}-lab`];
  const subnet = 20 + (stack.ports.prometheus % 200);
  await using engine = await connect({ env: process.env });
  const image = await imageOf(engine, 'pushgateway');
  await docker.createNetwork({ Name: network });
  await docker.createNetwork({ Name: lab, IPAM: { Config: [{ Subnet: `10.214.${subnet}.0/24` }] } });
  const web = await docker.createContainer({
    name: `${stack.name}-app-web-1`,
    Image: image,
    HostConfig: { NetworkMode: network },
    NetworkingConfig: { EndpointsConfig: { [network]: { Aliases: ['web', 'alertmanager'] } } },
  });
  await web.start();
  return {
    network,
    lab,
    address: `10.214.${subnet}.9`,
    [Symbol.asyncDispose]: async () => {
      await web.remove({ force: true });
      // The stack may still be connected when the test has failed.
      await stack.run('down');
      await using own = await connect({ env: process.env });
      for (const name of [network, lab]) await removeNetwork(own, { id: name, name });
    },
  };
}

/** Requests a URL until `end`, which returns the failures. */
function poll(url: string): { end(): Promise<readonly string[]> } {
  const failures: string[] = [];
  let isDone = false;
  const polling = (async () => {
    while (!isDone) await getText(url).catch((error: Error) => failures.push(error.message));
  })();
  return {
    end: async () => {
      isDone = true;
      await polling;
      return failures;
    },
  };
}
