import { randomBytes } from 'node:crypto';
import { posix } from 'node:path';
import { stringify } from 'yaml';
import { mainFile, readMainFile, receiversIn } from '../../stack/alertmanager/main-file.ts';
import type { RenderedFile } from '../../stack/model.ts';
import { Secret } from '../../stack/secret.ts';
import { configDir, configMount, nobody } from '../../stack/values/container.ts';
import { type Mapping, mappingsIn } from '../../stack/values/mapping.ts';
import { toEntries } from '../check/container-runner.ts';
import type { Engine } from '../engine/engine.ts';
import { roleLabel, serviceLabel, stackLabel } from '../engine/labels.ts';
import type { Rendering } from '../render/rendering.ts';
import { AlertmanagerClient } from '../servers/alertmanager.ts';
import { type Servers, serverIn } from '../servers/servers.ts';
import { names } from '../state/names.ts';
import { notRunning } from '../state/not-running.ts';
import type { Clock } from '../util/clock.ts';
import { StackError } from '../util/stack-error.ts';
import { traceAlert } from './alert-route.ts';
import { type AlertDelivery, sendAlert } from './send-alert.ts';

const service = 'alertmanager';
const startMs = 20_000;
/** A resolution is sent within seconds, where `send_resolved` is true. */
const resolutionMs = 10_000;

/** What one integration of a receiver made of the test alert, and of its resolution. */
export interface ReceiverTest extends AlertDelivery {
  /** `not sent`: its `send_resolved` is false, or the alert itself was not delivered. */
  readonly resolution: 'delivered' | 'failed' | 'not sent';
}

/** What a test of receivers needs. */
export interface ReceiverTestOptions {
  readonly engine: Engine;
  readonly rendering: Rendering;
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** The receivers of the rendered alertmanager.yml that notify somebody, but for the sink. */
export function realReceivers(rendering: Rendering): readonly string[] {
  const { sink } = rendering.config;
  return receiversIn(mainConfigOf(rendering)).flatMap(({ name, integrations }) =>
    integrations.length > 0 && !(sink.enabled && name === 'sink') ? [name] : [],
  );
}

/**
 * Sends a test alert and its resolution to one receiver, through a temporary Alertmanager of the running one's image with the rendered
 * config of this receiver: the running one neither reloads nor notifies.
 */
export async function testReceiver(receiver: string, options: ReceiverTestOptions): Promise<readonly ReceiverTest[]> {
  const { engine, rendering, signal } = options;
  const { config } = rendering;
  const running = await engine.findContainer(names.container(config.name, service));
  if (running?.state !== 'running') {
    throw new StackError({ doing: `testing the receiver ${receiver}`, ...notRunning(service, running) });
  }
  // It may have secrets in place.
  const content = new Secret(stringify(configFor(receiver, mainConfigOf(rendering))), mainFile);
  const rendered = rendering.services.find(({ service: { name } }) => name === service)?.files ?? [];
  const network = names.network(config.name);
  const others = running.networks.filter((name) => name !== network);
  const container = await engine.createHelper({
    name: `${config.name}-check-receiver-${randomBytes(4).toString('hex')}`,
    image: running.imageId,
    user: nobody,
    entrypoint: ['/bin/alertmanager'],
    args: [
      `--config.file=${configDir}/${mainFile}`,
      '--storage.path=/tmp',
      '--cluster.listen-address=',
      '--enable-feature=receiver-name-in-metrics',
    ],
    labels: { [stackLabel]: config.name, [roleLabel]: 'check', [serviceLabel]: service },
    mounts: [],
    scratch: configMount,
    network,
    connections: Object.fromEntries(others.map((name) => [name, { aliases: [] }])),
  });
  try {
    const files = rendered.map((each): RenderedFile => (each.path === mainFile ? { ...each, content } : each));
    await engine.putFiles(container, configMount, toEntries(files, posix.relative(configMount, configDir), nobody));
    await engine.startContainer(container);
    const servers = serverIn(engine, config, { service, container }, signal);
    try {
      await untilReady(servers, options);
      return await notify(servers, receiver, options);
    } finally {
      servers.close();
    }
  } finally {
    await engine.removeContainer(container);
  }
}

function mainConfigOf({ services }: Rendering): Mapping {
  return readMainFile(services.find(({ service: { name } }) => name === service)?.files ?? []) ?? {};
}

/** An alertmanager.yml that sends every alert to one receiver at once. */
function configFor(receiver: string, { global, templates, receivers }: Mapping): Mapping {
  const route = { receiver, group_wait: '0s', group_interval: '1s', repeat_interval: '1h' };
  const own = mappingsIn(receivers, []).flatMap(({ value }) => (value['name'] === receiver ? [value] : []));
  return { global, templates, route, receivers: own };
}

async function untilReady(servers: Servers, { clock, signal }: ReceiverTestOptions): Promise<void> {
  const deadline = clock.now() + startMs;
  for (;;) {
    try {
      if ((await servers.request(service, { method: 'GET', path: '/-/ready' })).status === 200) return;
    } catch (error) {
      signal.throwIfAborted();
      if (clock.now() >= deadline || (error instanceof StackError && (await isOver(servers)))) {
        const last = (await servers.lines(service, new Date(0))).at(-1)?.text ?? 'it printed nothing';
        const doing = 'starting a temporary Alertmanager';
        throw new StackError({ doing, why: `it does not start: ${last}`, tryThis: 'promstack check', cause: error });
      }
    }
    await clock.sleep(100, signal);
  }
}

async function isOver(servers: Servers): Promise<boolean> {
  return servers.mustRun(service).then(
    () => false,
    () => true,
  );
}

async function notify(
  servers: Servers,
  receiver: string,
  { rendering, timeoutMs, clock, signal }: ReceiverTestOptions,
): Promise<readonly ReceiverTest[]> {
  const file = configFor(receiver, mainConfigOf(rendering));
  const labels = {
    alertname: 'PromstackReceiverTest',
    severity: 'info',
    promstack_test: randomBytes(4).toString('hex'),
  };
  const trace = traceAlert(
    labels,
    { file, receivers: receiversIn(file), isLive: false },
    undefined,
    new Date(clock.now()),
  );
  const annotations = {
    summary: `Test of the receiver ${receiver} by promstack verify`,
    description: 'Nothing is wrong. It resolves within seconds.',
  };
  const client = new AlertmanagerClient(servers);
  const sending = { client, servers, labels, annotations, receivers: trace?.receivers ?? [], clock, signal };
  const startedAt = clock.now();
  const deliveries = await sendAlert({ ...sending, timeoutMs });
  const isDelivered = deliveries.some(({ outcome }) => outcome === 'delivered');
  const waitMs = Math.min(timeoutMs, resolutionMs);
  const resolved = isDelivered ? await sendAlert({ ...sending, timeoutMs: waitMs, resolvedFrom: startedAt }) : [];
  return deliveries.map((delivery, at) => {
    const outcome = delivery.outcome === 'delivered' ? resolved[at]?.outcome : undefined;
    return { ...delivery, resolution: outcome === undefined || outcome === 'waiting' ? 'not sent' : outcome };
  });
}
