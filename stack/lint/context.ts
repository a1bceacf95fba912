import { parse } from 'yaml';
import type { AlertRule } from '../alert.ts';
import { parseRoute, type Route } from '../alertmanager/routing-tree.ts';
import type { StackConfig } from '../config.ts';
import type { KeyPath } from '../diagnostic.ts';
import type { RenderedFile } from '../model.ts';
import { alerts } from '../prometheus/alerts.ts';
import { Secret } from '../secret.ts';
import { isNative, mappingsIn, type Native } from '../values/native.ts';

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
  const prometheus = readIn(ofPrometheus, 'prometheus.yml');
  return {
    config,
    rules: ofPrometheus.filter(({ path }) => /^rules\/.*\.ya?ml$/.test(path)).flatMap(rulesIn),
    alerts: alerts(ofPrometheus),
    jobs: mappingsIn(prometheus?.['scrape_configs'], []).map(({ value }) => value),
    prometheus,
    root: parseRoute(readIn(filesOf('alertmanager'), 'alertmanager.yml')?.['route']),
    metrics,
  };
}

function rulesIn(file: RenderedFile): readonly LintedRule[] {
  const isOwn = file.isVerbatim === true && file.isShipped !== true;
  return mappingsIn(read(file)?.['groups'], ['groups'])
    .flatMap((group) => mappingsIn(group.value['rules'], [...group.path, 'rules']))
    .flatMap(({ value, path }): LintedRule[] => {
      const kind = value['alert'] ? 'alert' : 'record';
      const rule = { kind, value, file, path, isOwn } as const;
      return [{ ...rule, name: String(value[kind]), expr: String(value['expr']) }];
    });
}

function readIn(files: readonly RenderedFile[], path: string): Native | undefined {
  const file = files.find((one) => one.path === path);
  return file === undefined ? undefined : read(file);
}

/** What cannot be read holds nothing to look at: that it is wrong is said elsewhere. */
function read({ content }: RenderedFile): Native | undefined {
  try {
    const text = content instanceof Secret ? content.reveal() : content;
    const value: unknown = parse(text, { merge: true, logLevel: 'silent' });
    return isNative(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
