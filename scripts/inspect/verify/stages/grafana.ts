import { generatedSecrets } from '../../../../stack/grafana/settings.ts';
import { Secret } from '../../../../stack/secret.ts';
import { configMount } from '../../../../stack/values/container.ts';
import { GrafanaApi } from '../../../servers/grafana/api.ts';
import { canaryQuery, seriesIn } from '../../../servers/prometheus-api.ts';
import type { Servers } from '../../../servers/servers.ts';
import type { Stage } from '../pipeline-check.ts';

const service = 'grafana';

/** The datasource promstack gives Grafana. */
const datasource = 'prometheus';

/** Grafana sees the canary through its datasource. Alerts do not pass here, so the drill goes on when it does not. */
export const grafana: Stage = {
  name: 'grafana',
  claim: 'sees it through its datasource',
  isSide: true,
  isThere: ({ servers }) => servers.config.grafana.enabled,
  look: async ({ servers, nonce }) => {
    await servers.mustRun(service);
    const password = await readPassword(servers);
    if (password === undefined) return { kind: 'broken', why: 'no password of its admin is kept', tryThis: rotate };
    const api = new GrafanaApi((request) => servers.ask(service, request), password);
    const answer = await api.through(datasource, canaryQuery(nonce).slice(1));
    switch (answer.kind) {
      case 'ok': {
        const found = seriesIn(answer.value)?.length ?? 0;
        return found > 0 ? { kind: 'passed' } : { kind: 'waiting', because: 'its datasource finds no canary' };
      }
      // Asked once: a few wrong passwords shut the user out.
      case 'unauthorized':
        return { kind: 'broken', why: 'it does not take the password promstack keeps', tryThis: rotate };
      case 'forbidden':
        return { kind: 'broken', why: 'its admin may not query the datasource', tryThis: rotate };
      case 'absent':
        return {
          kind: 'broken',
          why: `it has no datasource with the uid ${datasource}`,
          tryThis: 'promstack reload gives it back',
        };
      case 'failed':
        return { kind: 'waiting', because: `it answers ${answer.status}: ${answer.message}` };
    }
  },
  explain: async ({ servers }) => {
    const password = await readPassword(servers);
    if (password === undefined) return undefined;
    const health = await new GrafanaApi((request) => servers.ask(service, request), password).health(datasource);
    if (health.kind !== 'ok' || health.value.isWell) return undefined;
    return { why: `its datasource says: ${health.value.message}`, tryThis: 'promstack reload, then promstack status' };
  },
};

const rotate = 'promstack password --rotate';

/** Out of Grafana's own container, where it lies for Grafana itself. */
async function readPassword(servers: Servers): Promise<Secret | undefined> {
  const text = await servers.file(service, `${configMount}/secrets/${generatedSecrets.adminPassword}`);
  return text === undefined ? undefined : new Secret(text, 'made by promstack');
}
