import type { SourceRange } from '../diagnostic.ts';
import { isHistogram, type MetricType, type Sample } from './family.ts';

/** A family while its lines are being read. */
export interface Draft {
  readonly name: string;
  type: MetricType | undefined;
  help: string | undefined;
  where: SourceRange;
  readonly samples: Sample[];
  /** What has been said of each value of a histogram or summary, by its labels without `le` and `quantile`. */
  readonly parts: Map<string, Set<string>>;
}

/** The part of a histogram or summary that a sample's name says it is; `plain` is the family's own name. */
export type Part = 'plain' | 'count' | 'sum' | 'bucket';

/** A family, and which part of it a name means. */
export interface Resolved {
  readonly draft: Draft;
  readonly part: Part;
}

/**
 * The families of a text by name, found as the Pushgateway's parser (expfmt's TextParser) finds them: a family of
 * exactly this name first, whatever its type, then the summary or histogram whose part the name is, else a new one.
 */
export class Drafts {
  readonly byName = new Map<string, Draft>();
  /** The family of the line before. */
  latest: Draft | undefined;

  resolve(name: string, where: SourceRange): Resolved {
    const resolved = this.#find(name, where);
    this.latest = resolved.draft;
    return resolved;
  }

  #find(name: string, where: SourceRange): Resolved {
    const exact = this.byName.get(name);
    if (exact !== undefined) return { draft: exact, part: 'plain' };
    for (const part of ['count', 'sum', 'bucket'] as const) {
      if (!name.endsWith(`_${part}`)) continue;
      const whole = this.byName.get(name.slice(0, -part.length - 1));
      if (whole !== undefined && hasPart(whole.type, part)) return { draft: whole, part };
    }
    const made = { name, type: undefined, help: undefined, where, samples: [], parts: new Map() };
    this.byName.set(name, made);
    return { draft: made, part: 'plain' };
  }
}

function hasPart(type: MetricType | undefined, part: Part): boolean {
  return isHistogram(type) || (type === 'summary' && part !== 'bucket');
}
