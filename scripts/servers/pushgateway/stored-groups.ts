import type { StoredFamily, StoredGroup } from '../../../stack/exposition/conflicts.ts';
import { type LabelMap, toMetricType } from '../../../stack/exposition/family.ts';

/**
 * The groups in an answer to `GET /api/v1/metrics`; undefined when it is none. Looked at by hand, not by a schema: a
 * thousand groups are read again and again in a collection, and a schema takes twenty times as long as JSON.parse.
 */
export function readStoredGroups(json: string): readonly StoredGroup[] | undefined {
  const answer = parseJson(json);
  if (!isObject(answer) || answer['status'] !== 'success') return undefined;
  const entries = answer['data'] ?? [];
  return Array.isArray(entries) && entries.every(isObject) ? entries.map(toGroup) : undefined;
}

type Json = Readonly<Record<string, unknown>>;

function toGroup(entry: Json): StoredGroup {
  let families: StoredGroup['families'] | undefined;
  return {
    labels: jobFirst(labelsOf(entry)),
    pushedAt: toTime(entry[pushed]),
    failedAt: toTime(entry[failed]),
    // Most of an answer is metrics, and most questions are not about them.
    get families() {
      families ??= toFamilies(entry);
      return families;
    },
  };
}

/**
 * Metrics stand beside `labels` and `last_push_successful`, so a metric that is called `labels` hides the labels of its
 * group; `push_time_seconds`, which every group has, bears them too.
 */
function labelsOf(entry: Json): LabelMap {
  if (!isFamily(entry['labels'])) return toLabels(entry);
  return new Map([...toLabels(firstOf(entry[pushed]))].filter(([name, value]) => name !== 'instance' || value !== ''));
}

function toFamilies(entry: Json): StoredGroup['families'] {
  const families = new Map<string, StoredFamily>();
  for (const [name, value] of Object.entries(entry)) {
    if (!isFamily(value) || name === pushed || name === failed) continue;
    families.set(name, {
      type: toMetricType(String(value['type'])),
      help: String(value['help'] ?? ''),
      series: seriesOf(value).map(toLabels),
    });
  }
  return families;
}

const pushed = 'push_time_seconds';
const failed = 'push_failure_time_seconds';

function isFamily(value: unknown): value is Json {
  return isObject(value) && Array.isArray(value['metrics']);
}

function seriesOf(family: Json): readonly unknown[] {
  return Array.isArray(family['metrics']) ? family['metrics'] : [];
}

function firstOf(family: unknown): unknown {
  return isFamily(family) ? seriesOf(family)[0] : undefined;
}

/** The labels of something that has them. */
function toLabels(labelled: unknown): LabelMap {
  const labels = isObject(labelled) ? labelled['labels'] : undefined;
  if (!isObject(labels)) return new Map();
  return new Map(Object.entries(labels).map(([name, value]) => [name, String(value)]));
}

function toTime(family: unknown): number | undefined {
  const first = firstOf(family);
  const seconds = Number(isObject(first) ? first['value'] : 0);
  return seconds > 0 ? seconds : undefined;
}

function jobFirst(group: LabelMap): LabelMap {
  const others = [...group].filter(([name]) => name !== 'job').sort(([a], [b]) => (a < b ? -1 : 1));
  return new Map([['job', group.get('job') ?? ''], ...others]);
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
