import { parse } from 'yaml';
import type { RenderedFile } from '../../../stack/model.ts';
import { isMapping, listOf, type Mapping } from '../../../stack/values/mapping.ts';
import { revealed } from '../../render/show.ts';
import type { KubernetesDraft } from './kubernetes-draft.ts';
import { NotConvertibleError, OperatorValues } from './operator-fields.ts';
import { ruleGroups } from './operator-tables.ts';

/** Adds a PrometheusRule for each rule file, or several for one that is too large. */
export function addRules(draft: KubernetesDraft, files: readonly RenderedFile[]): void {
  for (const file of files) {
    const content: unknown = parse(revealed(file), {
      schema: 'failsafe',
      merge: true,
      logLevel: 'silent',
      maxAliasCount: -1,
    });
    const name = file.path.replace(/^rules\//, '').replace(/\.ya?ml$/, '');
    const shownPath = `prometheus/${file.path}`;
    try {
      const values = new OperatorValues(draft, 'prometheus', []);
      const groups = ruleGroups(
        isMapping(content) ? (content['groups'] ?? '') : '',
        'groups',
        values,
      ) as readonly Mapping[];
      const parts = inParts(draft, shownPath, groups);
      for (const [at, part] of parts.entries()) {
        const object = draft.nameFor('PrometheusRule', parts.length === 1 ? name : `${name}-${at + 1}`);
        draft.add('prometheus', 'monitoring.coreos.com/v1', 'PrometheusRule', object, { spec: { groups: part } });
        draft.findings.taken(shownPath, undefined, `PrometheusRule ${object}`);
      }
    } catch (error) {
      if (!(error instanceof NotConvertibleError)) throw error;
      draft.findings.left(shownPath, undefined, `a PrometheusRule does not take its ${error.message}`);
    }
  }
}

/** The operator takes 512 KiB of rules in an object, as YAML, which has indents and breaks that JSON does not have. */
const mostBytes = 350_000;

const sizeOf = (value: unknown): number => Buffer.byteLength(JSON.stringify(value));

/** Groups in as few objects as they fit in; one that is larger than an object continues in the next. */
function inParts(
  { findings }: KubernetesDraft,
  path: string,
  groups: readonly Mapping[],
): readonly (readonly Mapping[])[] {
  const fitting = groups.flatMap((group) => {
    if (sizeOf(group) <= mostBytes) return [group];
    findings.changed(
      `group ${String(group['name'])} of ${path}`,
      undefined,
      'several groups',
      'prometheus-operator takes 512 KiB in an object; the parts are evaluated side by side',
    );
    return chunks(listOf(group['rules'])).map((rules) => ({ ...group, rules }));
  });
  const parts = chunks(fitting);
  if (parts.length > 1)
    findings.changed(
      path,
      undefined,
      `${parts.length} PrometheusRules`,
      'prometheus-operator takes 512 KiB in an object',
    );
  return parts as readonly (readonly Mapping[])[];
}

function chunks<T>(items: readonly T[]): readonly (readonly T[])[] {
  const all: T[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const item of items) {
    const size = sizeOf(item) + 1;
    if (bytes + size > mostBytes) {
      all.push([]);
      bytes = 0;
    }
    all.at(-1)?.push(item);
    bytes += size;
  }
  return all;
}
