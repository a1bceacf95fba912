import { Secret } from '../../../stack/secret.ts';
import { configMount } from '../../../stack/values/container.ts';
import type { Engine } from '../../engine/engine.ts';
import type { SwarmFile, SwarmTask } from '../../engine/swarm/swarm.ts';
import { addressOf } from '../../plan/swarm/confirm-tasks.ts';
import type { SwarmObserved } from '../../plan/swarm/observe.ts';
import type { StoredFile, SwarmServiceTarget } from '../../plan/swarm/target.ts';
import { driverOf } from '../../servers/drivers.ts';
import type { Secrets } from '../../state/secret-store.ts';
import { lastConfirmed } from '../../state/swarm/records.ts';
import { readSecrets, type SecretReading } from '../../state/swarm/secret-reader.ts';
import type { TaskClient } from '../../state/swarm/task-client.ts';

interface SecretsTaking extends Omit<SecretReading, 'secrets'> {
  readonly engine: Engine;
  readonly service: SwarmServiceTarget;
  readonly observed: SwarmObserved;
  /** What this command has stored, with its content. */
  readonly stored: readonly StoredFile[];
  readonly files: readonly SwarmFile[];
  /** The id of the stack's network. */
  readonly network: string;
  readonly client: TaskClient;
}

/** Makes the server in the first of the tasks take secrets that differ from those of before. Returns notes for the user. */
export async function takeSecrets(tasks: readonly SwarmTask[], taking: SecretsTaking): Promise<readonly string[]> {
  const { engine, service, observed, stored, files, network, client, signal } = taking;
  const take = driverOf(service.service).takeSecrets;
  const [task] = tasks;
  if (take === undefined || task === undefined) return [];
  const confirmed = lastConfirmed(observed.records)?.target?.services.find((old) => old.service === service.service);
  const before = [observed.services.get(service.service)?.target, confirmed].flatMap((target) => target ?? []);
  const [wanted, ...former] = [service, ...before].map(generatedIn);
  const all = [wanted, ...former].flatMap((names) => [...(names ?? []).values()]);
  if (wanted === undefined || former.every((names) => isSame(names, wanted))) return [];
  const known = new Map(
    stored.flatMap(({ name, content }) => (content === undefined ? [] : [[name, content.toString()]])),
  );
  const unknown = files.filter(({ kind, name }) => kind === 'secret' && all.includes(name) && !known.has(name));
  const contents = new Map([...known, ...(await readSecrets(engine, { ...taking, secrets: unknown }))]);
  const secretsOf = (names: ReadonlyMap<string, string>): Secrets =>
    new Map(
      [...names].flatMap(([name, file]) => {
        const content = contents.get(file);
        return content === undefined ? [] : [[name, new Secret(content, 'the swarm')]];
      }),
    );
  const address = addressOf(task, service.service, network);
  return take({
    request: (request, { timeoutMs } = { timeoutMs: 30_000 }) =>
      client.request(address, request, { timeoutMs, signal }),
    wanted: secretsOf(wanted),
    former: former.map(secretsOf),
  });
}

/** The names of the secrets that a service does not have from its files, by what they are. */
function generatedIn({ files }: SwarmServiceTarget): ReadonlyMap<string, string> {
  const folder = `${configMount}/secrets/`;
  return new Map(
    files.flatMap(({ target, name }) => (target.startsWith(folder) ? [[target.slice(folder.length), name]] : [])),
  );
}

const isSame = (one: ReadonlyMap<string, string>, other: ReadonlyMap<string, string>): boolean =>
  [...one].every(([key, value]) => other.get(key) === value);
