import { formatLabels } from '../../../stack/exposition/family.ts';
import { isAgent } from '../../../stack/prometheus/agent.ts';
import { counted } from '../../../stack/values/words.ts';
import { AlertmanagerClient, type Silence } from '../../servers/alertmanager.ts';
import { PrometheusClient } from '../../servers/prometheus.ts';
import { pushgatewayOf } from '../../servers/pushgateway/client.ts';
import type { Servers } from '../../servers/servers.ts';
import type { Manifest } from './manifest.ts';

type Groups = NonNullable<Manifest['groups']>;

/** Samples of this long before a backup are not counted: their scrapes may not have ended. */
const settledSeconds = 30;

/** The samples of the running Prometheus at a time; undefined for an agent, which cannot be queried. */
export async function countSamples(servers: Servers, at: number): Promise<Manifest['samples']> {
  if (!servers.config.prometheus.enabled || isAgent(servers.config)) return undefined;
  const client = new PrometheusClient(servers);
  const numberOf = async (expr: string): Promise<number> => (await client.query(expr))[0]?.value ?? 0;
  return {
    at,
    series: await numberOf(`count({__name__=~".+"} @ ${at})`),
    samples: await numberOf(`sum(sum_over_time(scrape_samples_post_metric_relabeling[10m] @ ${at}))`),
  };
}

/** The time up to which samples are complete. */
export function settledAt(nowMs: number): number {
  return Math.floor(nowMs / 1000) - settledSeconds;
}

/** The silences that are not over. */
export async function listSilences(servers: Servers): Promise<readonly Silence[] | undefined> {
  if (!servers.config.alertmanager.enabled) return undefined;
  const silences = await new AlertmanagerClient(servers).silences();
  return silences.filter(({ status }) => status.state !== 'expired');
}

export async function listGroups(servers: Servers): Promise<Groups | undefined> {
  if (!servers.config.pushgateway.enabled) return undefined;
  const { groups } = await pushgatewayOf(servers).list();
  return groups.map(({ labels, pushedAt }) => ({
    labels: [...labels],
    ...(pushedAt === undefined ? {} : { pushedAt }),
  }));
}

/** What the running servers have at this moment, in the form of a manifest. */
export async function factsOf(servers: Servers, nowMs: number): Promise<Manifest> {
  const samples = await countSamples(servers, settledAt(nowMs));
  const [silences, groups] = await Promise.all([listSilences(servers), listGroups(servers)]);
  // A range of Prometheus 3 has not the sample at its beginning: one scrape less is no loss.
  const least = samples && { ...samples, samples: Math.max(0, samples.samples - samples.series) };
  const plain = silences?.map(({ status: _, ...silence }) => ({ ...silence, matchers: [...silence.matchers] }));
  return { volumes: {}, samples: least, silences: plain, groups: groups && [...groups] };
}

/** What the running servers lack of a manifest; a sentence each. */
export async function findMissing(servers: Servers, manifest: Manifest): Promise<readonly string[]> {
  const missing: string[] = [];
  if (manifest.samples !== undefined) {
    const { at, series, samples } = manifest.samples;
    const now = await countSamples(servers, at);
    if (now !== undefined && (now.series < series || now.samples < samples)) {
      missing.push(
        `Prometheus has ${now.series} series and ${counted(now.samples, 'sample')} of the ten minutes before, not ${series} and ${samples}`,
      );
    }
  }
  const silences = await listSilences(servers);
  const over = (endsAt: string): boolean => Date.parse(endsAt) <= Date.now();
  for (const silence of (silences && manifest.silences) ?? []) {
    if (over(silence.endsAt) || silences?.some((each) => isSameSilence(each, silence)) === true) continue;
    missing.push(`the silence ${silence.id} (${silence.comment}) is missing in Alertmanager`);
  }
  const groups = await listGroups(servers);
  const byLabels = new Map(groups?.map((group) => [keyOf(group), group]));
  for (const group of (groups && manifest.groups) ?? []) {
    const restored = byLabels.get(keyOf(group));
    if (restored !== undefined && (restored.pushedAt ?? 0) >= (group.pushedAt ?? 0)) continue;
    missing.push(`the group ${formatLabels(new Map(group.labels))} is missing in the Pushgateway, or older`);
  }
  return missing;
}

/** Whether two silences do the same; one that is added again has another id, and begins when it is added. */
export function isSameSilence(a: Silence, b: Pick<Silence, 'id' | 'matchers' | 'endsAt'>): boolean {
  const text = ({ matchers, endsAt }: Pick<Silence, 'matchers' | 'endsAt'>): string =>
    JSON.stringify([
      matchers.map(({ name, operator, value }) => `${name}${operator}${value}`).toSorted(),
      Date.parse(endsAt),
    ]);
  return a.id === b.id || text(a) === text(b);
}

/** Identifies a group: its labels. */
export function keyOf({ labels }: Groups[number]): string {
  return JSON.stringify(labels);
}
