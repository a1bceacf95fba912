import type { AlertRule } from '../alert.ts';
import { readMainFile } from '../alertmanager/main-file.ts';
import { parseRoute, type Route } from '../alertmanager/routing-tree.ts';
import type { StackConfig } from '../config.ts';
import type { KeyPath, Problem } from '../diagnostic.ts';
import type { RenderedFile } from '../model.ts';
import { alerts, parseMapping, ruleFiles } from '../prometheus/alerts.ts';
import { type Mapping, mappingsIn } from '../values/mapping.ts';

/** Looks across the whole stack for valid configuration that is probably a mistake. */
export interface Lint {
  /** Stable kebab-case name; `# promstack: ignore CODE` suppresses it. */
  readonly code: string;
  find(context: LintContext): readonly Finding[];
}

/** A warning; its path is inside `file`, or inside stack.yml when there is none. */
export interface Finding extends Omit<Problem, 'code' | 'severity' | 'dependsOn'> {
  readonly file?: RenderedFile | undefined;
  /** A key of stack.yml where an ignore comment suppresses the lint too. */
  readonly alsoIgnoredAt?: KeyPath | undefined;
}

export interface LintContext {
  readonly config: StackConfig;
  /** The rules in all rule files of Prometheus. */
  readonly rules: readonly LintedRule[];
  readonly alerts: readonly AlertRule[];
  /** All scrape configs of prometheus.yml. */
  readonly jobs: readonly Mapping[];
  /** The parsed prometheus.yml; undefined in a stack without Prometheus. */
  readonly prometheus: Mapping | undefined;
  /** The routing tree of alertmanager.yml; undefined in a stack without Alertmanager, or when it is invalid. */
  readonly root: Route | undefined;
  /** The metrics of the running Prometheus; undefined when none runs. */
  readonly metrics?: ReadonlySet<string> | undefined;
}

export interface LintedRule {
  readonly kind: 'alert' | 'record';
  readonly name: string;
  readonly expr: string;
  readonly value: Mapping;
  readonly file: RenderedFile;
  readonly path: KeyPath;
  /** Whether it is in a user's file. */
  readonly isOwn: boolean;
}

/** `filesOf` returns the rendered files of a service, none when it is disabled. */
export function lintContext(
  config: StackConfig,
  filesOf: (service: string) => readonly RenderedFile[],
  metrics?: ReadonlySet<string>,
): LintContext {
  const files = filesOf('prometheus');
  const prometheus = parseMapping(files.find(({ path }) => path === 'prometheus.yml'));
  return {
    config,
    rules: ruleFiles(files).flatMap(rulesIn),
    alerts: alerts(files),
    jobs: mappingsIn(prometheus?.['scrape_configs'], []).map(({ value }) => value),
    prometheus,
    root: parseRoute(readMainFile(filesOf('alertmanager'))?.['route']),
    metrics,
  };
}

function rulesIn(file: RenderedFile): readonly LintedRule[] {
  const isOwn = file.isVerbatim === true && file.isShipped !== true;
  return mappingsIn(parseMapping(file)?.['groups'], ['groups'])
    .flatMap((group) => mappingsIn(group.value['rules'], [...group.path, 'rules']))
    .map(({ value, path }): LintedRule => {
      const kind = value['alert'] ? 'alert' : 'record';
      return { kind, name: String(value[kind]), expr: String(value['expr']), value, file, path, isOwn };
    });
}
