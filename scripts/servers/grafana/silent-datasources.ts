import { stackDatasources } from '../../../stack/grafana/datasources.ts';
import type { Room } from '../service-driver.ts';
import type { GrafanaApi } from './api.ts';
import { wantedDatasources } from './expected.ts';

/** The person's own datasources that do not answer, a sentence each: what they lead to is no part of the stack, so nothing is refused for it. */
export async function silentDatasources({ release, signal }: Room, api: GrafanaApi): Promise<readonly string[]> {
  const own = new Set(stackDatasources(release.config).map(({ uid }) => uid));
  const others = wantedDatasources(release.files).filter(({ orgId, uid }) => orgId === 1 && !own.has(uid));
  const told = await Promise.all(
    others.map(async ({ uid, name }) => {
      try {
        const answer = await api.health(uid);
        // Not every plugin can be asked.
        if (answer.kind !== 'ok' || answer.value.isWell) return [];
        return [`the datasource ${name} does not answer: ${answer.value.message}`];
      } catch (error) {
        signal.throwIfAborted();
        return [`the datasource ${name} does not answer: ${error instanceof Error ? error.message : String(error)}`];
      }
    }),
  );
  return told.flat();
}
