import type { KeyPath, Problem } from '../diagnostic.ts';
import type { CheckFinding, RenderedFile } from '../model.ts';
import { contentOf, Secret } from '../secret.ts';
import { closest } from '../values/closest.ts';
import { errorIn } from '../values/exit-causes.ts';
import { isCollection, isMapping, listOf, type Mapping } from '../values/mapping.ts';
import { parseYaml } from '../values/parse.ts';
import { expected, quoted } from '../values/words.ts';
import { commonKeyNames, type FileMismatch } from './exporter.ts';
import type { ReservedSettings } from './scrape-problems.ts';

/** Targets by module. */
export type ModuleTargets = readonly (readonly [module: string, targets: readonly string[]])[];

/** An exporter whose keys in stack.yml are modules of its config file, each with a list of targets. */
interface ModuleExporter {
  readonly title: string;
  /** Its keys that are no modules, besides those of all exporters. */
  readonly keys: readonly string[];
  /** A module with a target: `http_2xx: [https://shop.example]`. */
  readonly example: string;
  /** What follows the list of the modules in a hint. */
  readonly further: string;
}

/** What exporters have in common that ask others: for a target, by a module of their config file. */
export function targetsByModule({ title, keys, example, further }: ModuleExporter) {
  const known: ReadonlySet<string> = new Set([...commonKeyNames, ...keys]);
  const exampleTarget = /\[(.*)\]/.exec(example)?.[1] ?? '';

  const targetsIn = (own: object): ModuleTargets =>
    Object.entries(own).flatMap(
      ([module, targets]): ModuleTargets =>
        known.has(module) || !Array.isArray(targets) ? [] : [[module, targets.map(String)]],
    );

  const noLists = (own: object, path: KeyPath): readonly Problem[] =>
    Object.entries(own).flatMap(([module, targets]): readonly Problem[] => {
      if (known.has(module) || Array.isArray(targets)) return [];
      const near = closest(module, known);
      const hint =
        near === undefined
          ? `write a list, such as "${module}: [${typeof targets === 'string' ? targets : exampleTarget}]"`
          : `did you mean "${near}"?`;
      return [{ code: 'wrong-type', path: [...path, module], message: expected('a list of targets', targets), hint }];
    });

  const noTargets = (own: object, path: KeyPath): readonly Problem[] => {
    if (targetsIn(own).some(([, targets]) => targets.length > 0)) return [];
    return [
      {
        code: 'no-targets',
        severity: 'warning',
        path,
        atKey: true,
        message: `${title} has no targets, so it probes nothing`,
        hint: `add a list of targets by module, such as "${example}"`,
      },
    ];
  };

  return {
    targetsIn,
    problemsOf: (
      own: object,
      path: KeyPath,
      ofTarget: (module: string, target: string, path: KeyPath) => readonly Problem[],
    ): readonly Problem[] => [
      ...targetsIn(own).flatMap(([module, targets]) =>
        listOf((own as Mapping)[module]).flatMap((written, at) => {
          const target = [...path, module, at];
          return notAText(written, target) ?? ofTarget(module, targets[at] ?? '', target);
        }),
      ),
      ...noLists(own, path),
      ...noTargets(own, path),
    ],
    /** Modules that the config file does not have, which may be one of the user's. */
    unknownModules: (own: object, path: KeyPath, file: RenderedFile): readonly FileMismatch[] => {
      const modules = namesIn(file, 'modules');
      if (modules === undefined) return [];
      return targetsIn(own)
        .filter(([module]) => !modules.includes(module))
        .map(([module]) => {
          const near = closest(module, [...modules, ...known]);
          const hint = `the modules are ${modules.slice(0, 30).join(', ')}${further}`;
          return {
            file,
            key: [...path, module],
            atKey: true,
            code: 'unknown-module',
            message: `there is no module ${quoted(module)} in ${file.path}`,
            hint: near === undefined ? hint : `did you mean "${near}"?`,
          };
        });
    },
  };
}

/** The problem of a target that is no string. */
function notAText(target: unknown, path: KeyPath): readonly Problem[] | undefined {
  if (target instanceof Secret) {
    const message = 'a target cannot be a secret: it is a label of its series';
    return [{ code: 'secret-refused', path, message, hint: 'write the address here, and a login into the module' }];
  }
  if (!isCollection(target) && target !== null && String(target).trim() !== '') return undefined;
  return [{ code: 'wrong-type', path, message: expected('an address', target), hint: undefined }];
}

/** The keys of a section of a config file; undefined when it has none, which its own check reports. */
export function namesIn(file: RenderedFile, section: string): readonly string[] | undefined {
  const config = parseYaml(contentOf(file), { valid: true });
  const names = isMapping(config) ? config[section] : undefined;
  return isMapping(names) ? Object.keys(names) : undefined;
}

/** Keys of that job that its targets need. */
export function moduleSettings(path: string, title: string): ReservedSettings {
  return {
    metrics_path: `at ${path} ${title} asks the target of a request`,
    static_configs: 'its targets are in the lists by module',
    'params.module': 'it is the name of the list that a target is in',
    'params.target': 'it is each of the targets',
  };
}

/** The job of the targets, whose exporter asks what the parameter `target` says, and the job of its own metrics. */
export function moduleJobs({
  kind,
  path,
  targets,
  address,
  more,
}: {
  readonly kind: string;
  readonly path: string;
  readonly targets: ModuleTargets;
  readonly address: string;
  readonly more: Mapping;
}): readonly Mapping[] {
  const job = {
    job_name: kind,
    ...more,
    metrics_path: path,
    static_configs: targets.map(([module, list]) => ({ targets: list, labels: { module } })),
    relabel_configs: [
      { source_labels: ['module'], target_label: '__param_module' },
      { source_labels: ['__address__'], target_label: '__param_target' },
      { source_labels: ['__param_target'], target_label: 'instance' },
      { target_label: '__address__', replacement: address },
      ...listOf(more['relabel_configs']),
    ],
  };
  const own = { job_name: `${kind}_exporter`, static_configs: [{ targets: [address] }] };
  return targets.every(([, list]) => list.length === 0) ? [own] : [job, own];
}

/** A log line about a config that is not loaded: `error parsing config file: yaml: unmarshal errors: line 4: …`. */
export function explainConfigCheck(output: string, path: string): readonly CheckFinding[] {
  const error = output
    .split('\n')
    .map(errorIn)
    .find((text) => text !== undefined);
  const [, logged] = /level=ERROR .*?\bmsg="([^"]*)"/.exec(output) ?? [];
  const message = (error ?? logged ?? output.trim())
    .replace(/^error parsing config file: (?:yaml: (?:unmarshal errors:)?)?/, '')
    .trim();
  const [, line, rest] = /^line (\d+): (.*)$/s.exec(message) ?? [];
  if (line === undefined) return [{ path, message }];
  return [{ path, line: Number(line), message: (rest ?? '').replaceAll(/ in type \S+/g, '') }];
}
