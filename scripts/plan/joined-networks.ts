import type { StackConfig } from '../../stack/config.ts';
import type { Diagnostic } from '../../stack/diagnostic.ts';
import { defaultNetwork, joinedNetworks } from '../../stack/networks.ts';
import { isSwarm } from '../../stack/swarm/replicas.ts';
import { closest } from '../../stack/values/closest.ts';
import { counted, orList, quoted } from '../../stack/values/words.ts';
import type { NetworkSummary } from '../engine/engine.ts';
import type { Rendering } from '../render/rendering.ts';
import { names } from '../state/names.ts';
import { InputError } from '../util/stack-error.ts';
import type { Desired } from './desired.ts';
import type { Observed } from './observed.ts';

/** How many networks are listed at most. */
const listed = 12;

/** Throws an InputError for networks of stack.yml that the engine does not have, or that services cannot join. */
export function checkNetworks(
  {
    config,
    services,
  }: Pick<Desired, 'config'> & { readonly services: readonly Pick<Desired['services'][0], 'spec'>[] },
  { networks }: Pick<Observed, 'networks'>,
  locate: Rendering['locate'],
): void {
  const needed = new Set(services.flatMap(({ spec }) => spec.networks ?? []));
  const diagnostics = joinedNetworks(config)
    .filter(({ name }) => needed.has(name))
    .flatMap(({ name, path }): Diagnostic[] => {
      const problem = problemOf(name, networks, config);
      return problem === undefined ? [] : [{ severity: 'error', where: locate?.(path), ...problem }];
    });
  if (diagnostics.length > 0) throw new InputError(diagnostics);
}

type Reason = Pick<Diagnostic, 'code' | 'message' | 'hint'>;

function problemOf(name: string, networks: readonly NetworkSummary[], config: StackConfig): Reason | undefined {
  const named = networks.filter((candidate) => candidate.name === name);
  const ofSwarm = named.filter(({ isOfSwarm }) => isOfSwarm);
  // On a swarm one of this node alone may have the same name.
  const [network, ...more] = isSwarm(config) && ofSwarm.length > 0 ? ofSwarm : named;
  if (network === undefined) {
    return {
      code: 'network-missing',
      message: `the ${isSwarm(config) ? 'swarm' : 'engine'} has no network ${quoted(name)}`,
      hint: hintFor(name, networks, config),
    };
  }
  if (more.length > 0) {
    return {
      code: 'network-refused',
      message: `the ${isSwarm(config) ? 'swarm' : 'engine'} has ${counted(more.length + 1, 'network')} of the name ${quoted(name)}`,
      hint: `remove all but one: docker network ls --filter name=${name}`,
    };
  }
  const refusal = refuserFor(config)(network);
  if (refusal === undefined) return undefined;
  const message = `no service can join the network ${quoted(name)}: ${refusal.why}`;
  return { code: 'network-refused', message, hint: refusal.hint };
}

/** Why services cannot join a network, and what to do; undefined when they can. */
export function refusalOf(network: NetworkSummary): { readonly why: string; readonly hint: string } | undefined {
  const { driver, isAttachable, isDefault } = network;
  if (isDefault) return defaultNetwork();
  if (driver === 'overlay' && !isAttachable) {
    return {
      why: 'it is a network of a swarm that is not attachable, which only services of the swarm can use',
      hint: 'create another one: docker network create --driver overlay --attachable NAME',
    };
  }
  if (driver === 'bridge' || driver === 'overlay') return undefined;
  return {
    why: `its driver is ${quoted(driver)}, through which the engine does not publish ports`,
    hint: 'services join networks of the driver bridge, and of overlay if they are attachable',
  };
}

const refuserFor = (config: StackConfig) => (isSwarm(config) ? swarmRefusalOf : refusalOf);

/** The same for services of a swarm. */
function swarmRefusalOf({ name, isOfSwarm, driver }: NetworkSummary): ReturnType<typeof refusalOf> {
  if (isOfSwarm) return undefined;
  if (driver === 'overlay')
    return { why: 'it is the one of published ports', hint: `create another one: ${createOverlay('NAME')}` };
  return {
    why: `it is a network of this node alone (driver ${driver}, scope local), and the services run on any node`,
    hint: `create one of the whole swarm under another name: ${createOverlay(`${name}-swarm`)}; connect what the services are to reach to it`,
  };
}

const createOverlay = (name: string): string => `docker network create --driver overlay --attachable ${name}`;

/** The networks that exist, those with a similar name first. */
function hintFor(name: string, networks: readonly NetworkSummary[], config: StackConfig): string {
  const refuse = refuserFor(config);
  const joinable = networks.filter((network) => refuse(network) === undefined);
  const all = [...new Set(joinable.map((network) => network.name))]
    .filter((candidate) => candidate !== names.network(config.name))
    .sort();
  // Compose puts the project before the name of a network.
  const typo = closest(name, all);
  const near = all.filter((candidate) => candidate === typo || candidate.includes(name) || name.includes(candidate));
  const others = all.filter((candidate) => !near.includes(candidate));
  const shown = others.slice(0, listed).join(', ');
  const rest = others.length > listed ? `${shown} and ${others.length - listed} more` : shown;
  if (near.length > 0) {
    return `did you mean ${orList(near.map(quoted))}?${rest === '' ? '' : ` The others are ${rest}`}`;
  }
  const create = isSwarm(config) ? createOverlay(name) : `docker network create ${name}`;
  return rest === ''
    ? `it has none that a service can join; create it: ${create}`
    : `it has ${rest}; to create it: ${create}`;
}
