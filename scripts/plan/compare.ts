import type { NamedPart } from '../../stack/service.ts';
import { parseYaml } from '../../stack/values/parse.ts';
import { counted } from '../../stack/values/words.ts';
import type { Rendering, ServiceRendering } from '../render/rendering.ts';
import { hidden } from '../render/show.ts';
import { alertImpact } from './alert-impact.ts';
import { diffSpec } from './decide.ts';
import { fileChanges } from './file-changes.ts';
import type { Change } from './plan.ts';
import type { PlanReport } from './plan-stack.ts';

/** A job, a receiver or the like that differs; `lines` are its keys with their values, secrets masked. */
export interface PartChange {
  readonly kind: string;
  readonly name: string;
  readonly change: 'added' | 'removed' | 'changed';
  readonly removed: readonly string[];
  readonly added: readonly string[];
}

/** The differences of two stacks, without an engine. */
export type StackDifference = Pick<PlanReport, 'files' | 'meaning'> & {
  /** What a change from one to the other does to each service. */
  readonly changes: readonly Change[];
  readonly parts: readonly PartChange[];
};

/** Compares two renderings; `before` is undefined when the stack is new. */
export function compareRenderings(before: Rendering | undefined, after: Rendering): StackDifference {
  const old = before?.services ?? [];
  const names = [...new Set([...after.services, ...old].map(({ service }) => service.name))];
  const pairs = names.map((name) => {
    const [was, becomes] = [old, after.services].map((all) => all.find(({ service }) => service.name === name));
    return { name, was, becomes, files: fileChanges(name, was, becomes) };
  });
  return {
    changes: pairs.map(({ name, was, becomes, files }) =>
      changeOf(
        name,
        was,
        becomes,
        files.map(({ path }) => path),
      ),
    ),
    files: pairs.flatMap(({ files }) => files),
    meaning: alertImpact(old, after.services),
    parts: pairs.flatMap(({ was, becomes }) => partChanges(was, becomes)),
  };
}

function changeOf(
  service: string,
  was: ServiceRendering | undefined,
  becomes: ServiceRendering | undefined,
  files: readonly string[],
): Change {
  if (becomes === undefined) return { service, action: 'remove', because: ['it is no longer part of the stack'] };
  if (was === undefined) return { service, action: 'create', because: [`it is new: ${becomes.container.image}`] };
  const reasons = diffSpec(was.container, becomes.container);
  const [first, ...more] = files;
  const others = more.length === 0 ? '' : ` and ${counted(more.length, 'other file')}`;
  const changed = first === undefined ? [] : [`${first}${others} ${more.length === 0 ? 'differs' : 'differ'}`];
  const risks = becomes.service.risks?.(was.container, becomes.container) ?? [];
  if (reasons.length > 0) return { service, action: 'recreate', because: [...reasons, ...changed], risks };
  if (changed.length === 0) return { service, action: 'none', because: ['unchanged'] };
  return { service, action: becomes.service.reload === undefined ? 'recreate' : 'reload', because: changed };
}

function partChanges(was: ServiceRendering | undefined, becomes: ServiceRendering | undefined): readonly PartChange[] {
  const [old, now] = [partsOf(was), partsOf(becomes)];
  return [...new Map([...old, ...now]).keys()].flatMap((key): readonly PartChange[] => {
    const [before, after] = [old.get(key), now.get(key)];
    const part = after ?? before;
    if (part === undefined) return [];
    const { kind, name } = part;
    const [oldLines, newLines] = [linesOf(before?.value), linesOf(after?.value)];
    const [removed, added] = [without(oldLines, newLines), without(newLines, oldLines)];
    if (before === undefined) return [{ kind, name, change: 'added', removed, added }];
    if (after === undefined) return [{ kind, name, change: 'removed', removed, added }];
    return removed.length + added.length === 0 ? [] : [{ kind, name, change: 'changed', removed, added }];
  });
}

function partsOf(rendering: ServiceRendering | undefined): ReadonlyMap<string, NamedPart> {
  const read = (path: string): unknown => {
    const file = rendering?.files.find((candidate) => candidate.path === path);
    return file && parseYaml(hidden(file).text);
  };
  return new Map((rendering?.service.parts?.(read) ?? []).map((part) => [`${part.kind} ${part.name}`, part]));
}

/** `static_configs.targets: db-1:9100`, a line for each value; the order in lists does not count. */
function linesOf(value: unknown, path = ''): readonly string[] {
  if (Array.isArray(value)) return value.flatMap((item) => linesOf(item, path));
  if (typeof value !== 'object' || value === null) return value === undefined ? [] : [`${path}: ${String(value)}`];
  return Object.entries(value).flatMap(([key, inner]) => linesOf(inner, path === '' ? key : `${path}.${key}`));
}

/** The lines without those of another list, each of which counts once. */
function without(lines: readonly string[], others: readonly string[]): readonly string[] {
  const left = [...others];
  return lines.filter((line) => {
    const at = left.indexOf(line);
    if (at !== -1) left.splice(at, 1);
    return at === -1;
  });
}
