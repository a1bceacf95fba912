import { Agent } from 'node:http';
import type { DriverContext } from '../../scripts/servers/service-driver.ts';
import { givenSecrets, type SecretStore } from '../../scripts/state/secret-store.ts';
import { sendRequest } from '../../scripts/util/http.ts';
import { grafana } from '../../stack/grafana/service.ts';
import { Secret } from '../../stack/secret.ts';
import type { Release } from '../../stack/service.ts';
import { fakeClock } from './fake-clock.ts';
import type { GrafanaStandIn } from './grafana-stand-in.ts';

/** A secret store in memory. */
export function keptInMemory(
  secrets: Readonly<Record<string, string>> = {},
): SecretStore & { readonly texts: Map<string, string> } {
  const texts = new Map(Object.entries(secrets));
  return {
    texts,
    read: async (name) => {
      const text = texts.get(name);
      return text === undefined ? undefined : new Secret(text, 'a test');
    },
    readAll: async () => new Map([...texts].map(([name, text]) => [name, new Secret(text, 'a test')])),
    write: async (name, secret) => void texts.set(name, secret.reveal()),
  };
}

/** A driver context for a stand-in: real HTTP, its `grafana cli`, and a clock without waits. */
export function contextOf(standIn: GrafanaStandIn, release: Release, kept: SecretStore): DriverContext {
  return {
    service: grafana,
    onProgress: () => undefined,
    release,
    kept,
    given: givenSecrets(grafana, release.config),
    request: requester(standIn.url),
    exec: async (argv, stdin = '') => standIn.cli(argv, stdin),
    isFirstStart: false,
    isStarted: false,
    rejected: new Set(),
    onNote: () => undefined,
    lastLines: async () => standIn.log,
    clock: fakeClock(),
    signal: AbortSignal.timeout(30_000),
    deadlineMs: 10_000,
  };
}

/** Sends requests to a Grafana at an address. */
export function requester(url: string): DriverContext['request'] {
  return async ({ method, path, headers, body }) => {
    const agent = new Agent();
    try {
      const request = { method, body, headers: headers ?? {}, agent, timeoutMs: 5_000 };
      const { status, body: text } = await sendRequest(new URL(path, url).href, request);
      return { status, body: text };
    } finally {
      agent.destroy();
    }
  };
}
