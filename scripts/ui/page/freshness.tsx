import { computed } from '@preact/signals';
import type { PartName, PartState } from '../page-state.ts';
import { header, nodes } from './store.ts';
import { Mark, Text, Time } from './texts.tsx';

/** How well all of these parts are known together: as well as the one that is known least. */
export function partsState(names: readonly PartName[]): PartState {
  const all = names.map((name) => header.value?.parts[name] ?? {});
  const times = all.map(({ readAt }) => readAt);
  const oldest = times.includes(undefined) ? undefined : Math.min(...times.map((at) => at ?? 0));
  return { readAt: oldest, why: all.find(({ why }) => why !== undefined)?.why };
}

/** What the alerts are made of, in this stack. */
export const alertParts = computed<readonly PartName[]>(() =>
  nodes.value['alertmanager'] === undefined ? ['rules'] : ['rules', 'alerts', 'routes'],
);

/** Whether it is known whom alerts notify. */
export const knowsRoutes = computed(
  () => nodes.value['alertmanager'] === undefined || partsState(['alerts', 'routes']).readAt !== undefined,
);

/** Says that what follows is not how it is now, and why; nothing while it is. */
export function NotCurrent({ parts }: { readonly parts: readonly PartName[] }) {
  const { readAt, why } = partsState(parts);
  if (readAt === undefined || why === undefined) return null;
  return (
    <p class="stale">
      <Mark state="unknown" />
      <span>
        As of <Time at={readAt} />, not current: <Text text={why} />
      </span>
    </p>
  );
}

/** In place of what was never read. */
export function Unread({ parts }: { readonly parts: readonly PartName[] }) {
  const { why } = partsState(parts);
  return (
    <p class="nothing">
      {why === undefined ? (
        'Not read yet.'
      ) : (
        <>
          Not known: <Text text={why} />
        </>
      )}
    </p>
  );
}
