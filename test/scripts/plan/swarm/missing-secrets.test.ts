import { expect, it } from 'vitest';
import { stackLabel } from '../../../../scripts/engine/labels.ts';
import type { Swarm } from '../../../../scripts/engine/swarm/swarm.ts';
import { notComparedOnSwarm, withRunningSecrets } from '../../../../scripts/plan/swarm/missing-secrets.ts';
import { choosePins } from '../../../../scripts/plan/swarm/nodes.ts';
import { planOnSwarm } from '../../../../scripts/plan/swarm/plan-stack.ts';
import { reconcileSwarm } from '../../../../scripts/plan/swarm/reconcile.ts';
import { toTarget } from '../../../../scripts/plan/swarm/target.ts';
import { renderStack } from '../../../../scripts/render/render-stack.ts';
import type { Rendering } from '../../../../scripts/render/rendering.ts';
import { folderWith } from '../../../support/config.ts';
import { fakeEngine } from '../../../support/engine.ts';
import { runningAs, threeNodes } from '../../../support/swarm-states.ts';

const secrets = {
  SCRAPE: 'scrape password',
  SLACK: 'https://hooks.slack.com/x',
  GRAFANA: 'admin password',
  LOGIN: 'a login',
  SMTP: 'mail',
};

const stack = `name: shop
target: swarm
access: {users: {ann: !env LOGIN}}
prometheus:
  scrape_configs:
    - job_name: app
      basic_auth: {username: ann, password: !env SCRAPE}
      static_configs: [{targets: ["app:8080"]}]
alertmanager:
  global: {smtp_smarthost: "mail:25", smtp_from: a@example.com, smtp_auth_username: a, smtp_auth_password: !env {name: SMTP, inline: true}}
  receivers:
    - name: team
      slack_configs: [{api_url: !env SLACK, channel: "#a"}]
      email_configs: [{to: a@example.com}]
  route: {receiver: team, group_wait: 5s}
grafana: {admin_password: !env GRAFANA}
`;

async function renderWith(text: string, env: Readonly<Record<string, string>>): Promise<Rendering> {
  await using folder = await folderWith({ 'stack.yml': text });
  const rendered = await renderStack({ cwd: folder.path, env, substitutes: new Map() });
  if (!rendered.ok || !rendered.value.rendering.ok) throw new Error(JSON.stringify(rendered));
  return rendered.value.rendering.value;
}

const targetOf = (rendering: Rendering) =>
  toTarget(rendering, {
    cluster: 'a swarm',
    image: (reference) => reference,
    healthCheck: () => undefined,
    pins: choosePins(rendering, threeNodes, new Map()),
  });

/** What `plan` finds for a stack.yml without some secrets, on a swarm that runs the one with all of them. */
async function planWithout(missing: readonly string[], text = stack) {
  const observed = runningAs(targetOf(await renderWith(stack, secrets)));
  const env = Object.fromEntries(Object.entries(secrets).filter(([name]) => !missing.includes(name)));
  const { rendering, target } = withRunningSecrets(await renderWith(text, env), observed, targetOf);
  expect(rendering.revision).toBe(target.revision);
  return reconcileSwarm(target, observed);
}

it.each([[[]], ...Object.keys(secrets).map((name) => [[name]]), [Object.keys(secrets)]])(
  'must find no change where only %j are missing',
  async (missing) => {
    const { changes, steps } = await planWithout(missing);
    expect(changes.filter(({ action }) => action !== 'none')).toEqual([]);
    expect(steps).toEqual([]);
  },
);

it.each([
  ['prometheus', stack.replace('app:8080', 'app:8081')],
  ['alertmanager', stack.replace('5s', '6s')],
  ['alertmanager', stack.replace('smtp_auth_username: a', 'smtp_auth_username: b')],
])('must find a change of %s that is in stack.yml', async (service, text) => {
  const { changes } = await planWithout(['SCRAPE', 'SLACK', 'GRAFANA', 'LOGIN'], text);
  expect(changes.flatMap(({ service: name, action }) => (action === 'none' ? [] : [name]))).toEqual([service]);
});

it('must find a change of a secret that is there', async () => {
  const observed = runningAs(targetOf(await renderWith(stack, secrets)));
  const env = { SLACK: 'https://hooks.slack.com/y', SMTP: 'mail' };
  const { target } = withRunningSecrets(await renderWith(stack, env), observed, targetOf);
  const { changes } = reconcileSwarm(target, observed);
  expect(changes.flatMap(({ service, action }) => (action === 'none' ? [] : [service]))).toEqual(['alertmanager']);
});

it('must show no difference of files that depend on missing secrets', async () => {
  const observed = runningAs(targetOf(await renderWith(stack, secrets)));
  const services = [...observed.services.values()];
  const labels = { [stackLabel]: 'shop' };
  const swarm: Partial<Swarm> = {
    membership: async () => ({ node: 'id-of-a', isManager: true, isLocked: false, cluster: 'a swarm' }),
    listNodes: async () => observed.nodes,
    listServices: async () => services.map(({ service }) => service),
    listTasks: async () => services.flatMap(({ tasks }) => tasks),
    listFiles: async () => observed.files,
  };
  const engine = fakeEngine({
    swarm: swarm as Swarm,
    findImage: async () => undefined,
    listImages: async () => [],
    listContainers: async () => [],
    listNetworks: async () => [{ id: 'id-of-network', name: 'shop', labels, isOfSwarm: true }] as never,
  });
  const show = async (text: string, env: Readonly<Record<string, string>> = {}) => {
    const rendering = await renderWith(text, env);
    const { plan, files } = await planOnSwarm({ engine, rendering, findChecks: async () => new Map() });
    const changed = plan.changes.filter(({ action }) => action !== 'none').map(({ service }) => service);
    return { changed, files: files.map(({ path }) => path) };
  };
  expect(await show(stack)).toEqual({ changed: [], files: [] });
  const other = await show(stack.replace('5s', '6s'), { SMTP: secrets.SMTP });
  expect(other.changed).toEqual(['alertmanager']);
  expect(other.files).toContain('alertmanager.yml');
});

it('must say what could not be compared', async () => {
  const { SLACK: _, SMTP: __, ...rest } = secrets;
  const warnings = notComparedOnSwarm(await renderWith(stack, rest));
  const texts = warnings.map(({ message }) => message);
  expect(texts).toHaveLength(2);
  expect(texts.find((text) => text.includes('SLACK'))).toMatch(
    /!env SLACK has changed since it was applied was not compared$/,
  );
  expect(texts.find((text) => text.includes('SMTP'))).toMatch(
    /was not compared, nor anything else in alertmanager\/alertmanager\.yml: a swarm shows no secret$/,
  );
});
