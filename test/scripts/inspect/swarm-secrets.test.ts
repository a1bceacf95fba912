import { expect, it } from 'vitest';
import type { ContainerSummary } from '../../../scripts/engine/engine.ts';
import type { Swarm, SwarmServiceSpec } from '../../../scripts/engine/swarm/swarm.ts';
import { readTaskSecrets } from '../../../scripts/inspect/swarm-secrets.ts';
import type { SwarmObserved } from '../../../scripts/plan/swarm/observe.ts';
import { hashTarget } from '../../../scripts/plan/swarm/service-spec.ts';
import type { SwarmTarget } from '../../../scripts/plan/swarm/target.ts';
import { redact } from '../../../scripts/util/redaction.ts';
import { fakeEngine } from '../../support/engine.ts';
import { flyingClock } from '../../support/flying-clock.ts';
import '../../support/forget-secrets.ts';
import { goldenTarget, nodeOf, recordOf, runningAs, taskOf } from '../../support/swarm-states.ts';

/** The golden stack where a service has these secrets alone. */
async function targetWith(
  service: string,
  ...secrets: readonly { name: string; target: string }[]
): Promise<SwarmTarget> {
  const target = await goldenTarget();
  const files = secrets.map((file) => ({ kind: 'secret', ...file, uid: 0, gid: 0, mode: 0o400 }) as const);
  return {
    ...target,
    services: target.services.map((one) => (one.service === service ? { ...one, files } : one)),
    stored: [...target.stored, ...secrets.map(({ name }) => ({ kind: 'secret' as const, name, service }))],
  };
}

const grafanaWith = (name: string): Promise<SwarmTarget> =>
  targetWith('grafana', { name, target: '/etc/promstack/secrets/security-admin_password' });

const a = nodeOf('a');

/** Reads the secrets of services; the swarm has the secrets by their names, and shows them to a task on the node. */
async function read(
  observed: SwarmObserved,
  contents: Readonly<Record<string, string>>,
  { services = ['grafana'], known = [], node = a }: { services?: string[]; known?: string[]; node?: typeof a } = {},
) {
  const created: SwarmServiceSpec[] = [];
  const swarm: Partial<Swarm> = {
    membership: async () => ({ node: node.id, isManager: true }),
    listNodes: async () => [node],
    listServices: async () => [],
    createService: async (spec) => void created.push(spec),
  };
  const engine = fakeEngine({
    swarm: swarm as Swarm,
    findImage: async (reference) => ({ id: reference, tags: [], digests: [], sizeBytes: 1, labels: {} }),
    listContainers: async () => [{ id: 'reader', state: 'running' } as ContainerSummary],
    exec: async (_, argv) => {
      const file = created[0]?.files.find(({ target }) => target === argv[1]);
      return { exitCode: 0, stdout: contents[file?.name ?? ''] ?? '', stderr: '' };
    },
  });
  const files = Object.keys(contents).map((name) => {
    return { kind: 'secret' as const, id: `id-of-${name}`, name, version: 1, labels: {} };
  });
  await readTaskSecrets(engine, {
    ...{ stack: 'shop', services, observed: { ...observed, files }, known: async () => new Set(known) },
    ...{ clock: flyingClock(), signal: new AbortController().signal },
  });
  return created.flatMap((spec) => spec.files.map(({ name }) => name));
}

it('must remove the secrets of the tasks from lines, also that of a task that has ended', async () => {
  const [before, now] = await Promise.all([grafanaWith('old'), grafanaWith('new')]);
  const observed = runningAs(now);
  const grafana = observed.services.get('grafana');
  const former = before.services.find(({ service }) => service === 'grafana');
  if (grafana === undefined || former === undefined) throw new Error('the golden stack has no Grafana');
  const ended = taskOf(now.stack, 'grafana', hashTarget(former), { slot: 1, node: a.id, desired: 'shutdown' });
  const services = new Map([...observed.services, ['grafana', { ...grafana, tasks: [...grafana.tasks, ended] }]]);
  const records = [recordOf(before, 1, 'confirmed'), recordOf(now, 2, 'confirmed')];
  const names = await read({ ...observed, services, records }, { new: 'hunter2-now', old: 'hunter2-old', other: 'no' });
  expect(names).toEqual(['new', 'old']);
  expect(redact('login hunter2-now failed, hunter2-old too')).toBe('login [secret] failed, [secret] too');
});

it('must read nothing that is known, or that is of other services', async () => {
  const observed = runningAs(await grafanaWith('new'));
  expect(await read(observed, { new: 'hunter2' }, { known: ['new'] })).toEqual([]);
  expect(await read(observed, { new: 'hunter2' }, { services: ['prometheus'] })).toEqual([]);
});

it('must say at once that the node of the manager takes no tasks', async () => {
  const reading = read(runningAs(await grafanaWith('new')), { new: 'x' }, { node: nodeOf('a', { isActive: false }) });
  await expect(reading).rejects.toMatchObject({ why: 'the node a takes no tasks' });
});

it('must remove only the secrets of a file that has them inside', async () => {
  const target = await targetWith('alertmanager', {
    name: 'inline',
    target: '/etc/promstack/current/alertmanager.yml',
  });
  const url = 'https://hooks.example.com/T0/B0/abcdef123';
  const content = `receivers:\n  - name: the-receiver\n    slack_configs:\n      - api_url: ${url}\n`;
  expect(await read(runningAs(target), { inline: content }, { services: ['alertmanager'] })).toEqual(['inline']);
  expect(redact(`posting to ${url}`)).toBe('posting to [secret]');
  expect(redact('receivers: - name: the-receiver')).toBe('receivers: - name: the-receiver');
});
