import type { AlertRule } from '../alert.ts';
import { readMainFile } from '../alertmanager/main-file.ts';
import { parseRoute, type Route } from '../alertmanager/routing-tree.ts';
import type { StackConfig } from '../config.ts';
import type { KeyPath, Problem } from '../diagnostic.ts';
import type { RenderedFile } from '../model.ts';
import { alerts } from '../prometheus/alerts.ts';
import { isNative, mappingsIn, type Native } from '../values/native.ts';
import { parseYaml } from '../values/parse.ts';

/** Something that no server refuses and that hardly anybody means, looked for across the whole stack. */
export interface Lint {
  /** Stable kebab-case name; `# promstack: ignore CODE` keeps it quiet. */
  readonly code: string;
  /** What it finds, as a noun phrase: `a receiver that no route reaches`. */
  readonly what: string;
  find(context: LintContext): readonly Finding[];
}

/** One thing found: always a warning. Its path is inside `file`, or inside stack.yml where there is none. */
export interface Finding extends Omit<Problem, 'code' | 'severity' | 'dependsOn'> {
  readonly file?: RenderedFile;
  /** A key of stack.yml where a comment keeps all findings of the lint quiet too. */
  readonly alsoQuietAt?: KeyPath;
}

/** All that the lints look at. */
export interface LintContext {
  readonly config: StackConfig;
  /** The rules of every file that Prometheus reads. */
  readonly rules: readonly LintedRule[];
  /** The alerts among them, with the labels they are sent with. */
  readonly alerts: readonly AlertRule[];
  /** The jobs of prometheus.yml, the stack's own too. */
  readonly jobs: readonly Native[];
  /** prometheus.yml; undefined in a stack without Prometheus. */
  readonly prometheus: Native | undefined;
  /** The routing tree of alertmanager.yml; undefined in a stack without Alertmanager, or when it cannot be read. */
  readonly root: Route | undefined;
  /** The metrics that the running Prometheus knows; undefined when none runs. */
  readonly metrics?: ReadonlySet<string> | undefined;
}

/** A rule and its place. */
export interface LintedRule {
  readonly kind: 'alert' | 'record';
  readonly name: string;
  readonly expr: string;
  readonly value: Native;
  readonly file: RenderedFile;
  readonly path: KeyPath;
  /** Whether it stands in a file of the person's own, which they can mend. */
  readonly isOwn: boolean;
}

/** Gathers what the lints look at; `filesOf` answers with the rendered files of a service, none when the stack has it not. */
export function lintContext(
  config: StackConfig,
  filesOf: (service: string) => readonly RenderedFile[],
  metrics?: ReadonlySet<string>,
): LintContext {
  const ofPrometheus = filesOf('prometheus');
  const prometheus = nativeIn(ofPrometheus.find(({ path }) => path === 'prometheus.yml'));
  return {
    config,
    rules: ofPrometheus.filter(({ path }) => /^rules\/.*\.ya?ml$/.test(path)).flatMap(rulesIn),
    alerts: alerts(ofPrometheus),
    jobs: mappingsIn(prometheus?.['scrape_configs'], []).map(({ value }) => value),
    prometheus,
    root: parseRoute(readMainFile(filesOf('alertmanager'))?.['route']),
    metrics,
  };
}

function rulesIn(file: RenderedFile): readonly LintedRule[] {
  const isOwn = file.isVerbatim === true && file.isShipped !== true;
  return mappingsIn(nativeIn(file)?.['groups'], ['groups'])
    .flatMap((group) => mappingsIn(group.value['rules'], [...group.path, 'rules']))
    .flatMap(({ value, path }): LintedRule[] => {
      const kind = value['alert'] ? 'alert' : 'record';
      const rule = { kind, value, file, path, isOwn } as const;
      return [{ ...rule, name: String(value[kind]), expr: String(value['expr']) }];
    });
}

function nativeIn(file: RenderedFile | undefined): Native | undefined {
  const value = file === undefined ? undefined : parseYaml(file.content);
  return isNative(value) ? value : undefined;
}
