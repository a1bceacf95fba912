import type { KeyPath, Problem } from '../diagnostic.ts';
import { prometheusSecrets } from '../prometheus/secret-fields.ts';
import type { SecretFiles } from '../secrets/secret-files.ts';
import { secretProblems } from '../secrets/secret-files.ts';
import { type Mapping, valueAt } from '../values/mapping.ts';
import { quoted } from '../values/words.ts';

/** Keys of a job that promstack sets, such as `params.module`, each with the reason. */
export type ReservedSettings = Readonly<Record<string, string>>;

/** A secret of a job goes into a file of Prometheus, as one of `prometheus.scrape_configs` does. */
const secrets: SecretFiles = {
  ...prometheusSecrets,
  fields: { ...prometheusSecrets.fields, 'scrape.bearer_token': 'bearer_token_file' },
};

/** Problems of the key `scrape` of an exporter; `path` is that of its section. */
export function scrapeProblems(own: Mapping, path: KeyPath, reserved: ReservedSettings): readonly Problem[] {
  const { scrape, scrape_interval: interval } = own as { scrape?: Mapping; scrape_interval?: unknown };
  if (scrape === undefined) return [];
  const at = [...path, 'scrape'];
  const taken = (key: readonly string[], reason: string, hint = 'remove it'): Problem => {
    const message = `promstack sets ${quoted(key.join('.'))} of this job itself: ${reason}`;
    return { code: 'reserved-key', path: [...at, ...key], atKey: true, message, hint };
  };
  const discoveries = Object.keys(scrape).filter((key) => key === 'static_configs' || key.endsWith('_sd_configs'));
  return [
    ...discoveries.map((key) =>
      taken(
        [key],
        reserved['static_configs'] ?? 'its target is the exporter',
        'remove it; other targets need a job of their own under prometheus.scrape_configs',
      ),
    ),
    ...Object.entries(reserved).flatMap(([key, reason]) => {
      const keys = key.split('.');
      return key === 'static_configs' || valueAt(scrape, keys) === undefined ? [] : [taken(keys, reason)];
    }),
    ...(interval === undefined || scrape['scrape_interval'] === undefined
      ? []
      : [
          {
            code: 'set-twice',
            path: [...at, 'scrape_interval'],
            atKey: true,
            message: 'the interval is set twice',
            hint: 'remove one of the two',
            related: [{ path: [...path, 'scrape_interval'], message: 'it is set here too' }],
          },
        ]),
    ...secretProblems(scrape, at, 'Prometheus', secrets),
  ];
}
