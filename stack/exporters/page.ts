import * as z from 'zod';
import type { KeyPath, Problem } from '../diagnostic.ts';
import { isMapping, type Mapping } from '../values/mapping.ts';
import { duration, formed } from '../values/schemas.ts';

/** A server that has a page of metrics itself: Prometheus scrapes it without an exporter. */
export interface MetricsPage {
  /** The key below `exporters` in stack.yml, the folder in templates/exporters/, the name of its job. */
  readonly kind: string;
  readonly schema: z.ZodType;
  /** The key that its targets are in. */
  readonly targetsKey: string;
  isEnabled(own: unknown): boolean;
  jobs(own: unknown): readonly Mapping[];
  problems(own: unknown, path: KeyPath): readonly Problem[];
}

/** The page of a server from its keys in stack.yml. */
export function defineMetricsPage<Own>(page: {
  readonly kind: string;
  readonly schema: z.ZodType<Own | undefined>;
  readonly targetsKey: string;
  isEnabled(own: Own): boolean;
  jobs(own: Own): readonly Mapping[];
  problems(own: Own, path: KeyPath): readonly Problem[];
}): MetricsPage {
  return page as MetricsPage;
}

/** Settings of a job in Prometheus's syntax. */
export const jobSettings = z
  .looseObject({
    metrics_path: formed(/^\/\S*$/, 'a path that begins with /, such as /metrics')
      .default('/metrics')
      .meta({ description: 'The path of its metrics' }),
    scrape_interval: duration.optional().meta({ description: 'How often to scrape it' }),
  })
  .prefault({})
  .meta({ description: "Settings of its job in Prometheus's syntax" });

/** The settings that are set. */
export function settingsOf(settings: z.output<typeof jobSettings>): Mapping {
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined));
}

/** The pages that stack.yml names, with their keys. */
export function enabledPages(section: unknown, pages: readonly MetricsPage[]) {
  return pages.flatMap((page) => {
    const own = isMapping(section) ? section[page.kind] : undefined;
    return own !== undefined && page.isEnabled(own) ? [{ page, own, path: ['exporters', page.kind] }] : [];
  });
}
