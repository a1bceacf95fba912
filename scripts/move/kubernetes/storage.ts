import type { ContainerSpec } from '../../../stack/model.ts';
import type { Service } from '../../../stack/service.ts';
import { flagIn } from '../../../stack/values/container.ts';
import { parseSize } from '../../../stack/values/units.ts';
import type { KubernetesDraft } from './kubernetes-draft.ts';

const gibibyte = 2 ** 30;

/** The size of a volume where stack.yml has none. */
const usualGibibytes = 10;

/** The claim of a server's data volume. */
export function dataVolumeOf(
  { findings }: KubernetesDraft,
  { name }: Service,
  { args, mounts }: ContainerSpec,
): Readonly<Record<string, unknown>> {
  const volume = mounts.find((mount) => mount.kind === 'data')?.volume ?? name;
  const limit = parseSize(flagIn(args, 'storage.tsdb.retention.size') ?? '0') || undefined;
  // The write-ahead log and blocks that are being merged are not part of the limit.
  const gibibytes = limit === undefined ? usualGibibytes : Math.ceil((limit * 1.25) / gibibyte) + 1;
  const because = limit === undefined ? 'stack.yml has no size of it' : 'a quarter more than prometheus.retention.size';
  findings.changed(
    `volume ${volume}`,
    undefined,
    `claim of ${gibibytes}Gi`,
    `${because}; its data stays on the engine`,
  );
  return { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: `${gibibytes}Gi` } } };
}

/** `64Mi`: whole units of the largest that fits. */
export function quantity(bytes: number): string {
  for (const [unit, size] of [
    ['Gi', gibibyte],
    ['Mi', 2 ** 20],
    ['Ki', 2 ** 10],
  ] as const) {
    if (bytes >= size && bytes % size === 0) return `${bytes / size}${unit}`;
  }
  return `${bytes}`;
}
