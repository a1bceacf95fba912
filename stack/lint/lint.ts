import { readMainFile } from '../alertmanager/main-file.ts';
import { parseRoute, type Route } from '../alertmanager/routing-tree.ts';
import type { StackConfig } from '../config.ts';
import type { KeyPath, Problem } from '../diagnostic.ts';
import type { RenderedFile } from '../model.ts';
import { alertReader, mainConfig, parseMapping, ruleFiles } from '../prometheus/alerts.ts';
import { type Mapping, mappingsIn } from '../values/mapping.ts';
import { getsOnTheWay, LintedAlert, type LintedRule, type LiveSeries } from './linted-alert.ts';

/** Looks across the whole stack for valid configuration that is probably a mistake. */
export interface Lint {
  /** Stable kebab-case name; `# promstack: ignore CODE` suppresses it. */
  readonly code: string;
  find(context: LintContext): readonly Finding[];
  /** Combines findings that no comment silences. */
  merge?(findings: readonly Finding[]): readonly Finding[];
}

/** A warning; its path is inside `file`, or inside stack.yml when there is none. */
export interface Finding extends Omit<Problem, 'code' | 'severity' | 'dependsOn'> {
  readonly file?: RenderedFile | undefined;
  /** What `merge` lists. */
  readonly subject?: string | undefined;
  /** A key of stack.yml where an ignore comment suppresses the lint too. */
  readonly alsoIgnoredAt?: KeyPath | undefined;
}

export interface LintContext {
  readonly config: StackConfig;
  /** The rules in all rule files of Prometheus. */
  readonly rules: readonly LintedRule[];
  readonly alerts: readonly LintedAlert[];
  /** All scrape configs of prometheus.yml. */
  readonly jobs: readonly Mapping[];
  /** The parsed prometheus.yml; undefined in a stack without Prometheus. */
  readonly prometheus: Mapping | undefined;
  /** The routing tree of alertmanager.yml; undefined in a stack without Alertmanager, or when it is invalid. */
  readonly root: Route | undefined;
  /** Undefined when no Prometheus of the stack runs. */
  readonly live?: LiveSeries | undefined;
}

/** `filesOf` returns the rendered files of a service, none when it is disabled. */
export function lintContext(
  config: StackConfig,
  filesOf: (service: string) => readonly RenderedFile[],
  live?: LiveSeries,
): LintContext {
  const files = filesOf('prometheus');
  const prometheus = mainConfig(files);
  const rules = ruleFiles(files).flatMap(rulesIn);
  const toAlert = alertReader(files);
  const mayGet = getsOnTheWay(prometheus);
  return {
    config,
    rules,
    alerts: rules.flatMap((rule) => {
      const alert = toAlert(rule.value, rule.group, rule.file.path);
      return alert === undefined ? [] : [new LintedAlert(rule, alert, mayGet, live)];
    }),
    jobs: mappingsIn(prometheus?.['scrape_configs'], []).map(({ value }) => value),
    prometheus,
    root: parseRoute(readMainFile(filesOf('alertmanager'))?.['route']),
    live,
  };
}

function rulesIn(file: RenderedFile): readonly LintedRule[] {
  const isOwn = file.isVerbatim === true && file.isShipped !== true;
  return mappingsIn(parseMapping(file)?.['groups'], ['groups']).flatMap((group) =>
    mappingsIn(group.value['rules'], [...group.path, 'rules']).map(({ value, path }): LintedRule => {
      const kind = value['alert'] ? 'alert' : 'record';
      const [name, expr] = [String(value[kind]), String(value['expr'])];
      return { kind, name, expr, value, group: group.value, file, path, isOwn };
    }),
  );
}
