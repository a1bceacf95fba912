import { readdir } from 'node:fs/promises';
import { basename, isAbsolute, join, posix, resolve } from 'node:path';
import * as z from 'zod';
import { duration } from '../../../stack/values/schemas.ts';
import { toProblems, toSchemaInput } from '../../config/validate.ts';
import { readYaml } from '../../config/yaml-source.ts';
import { displayPath } from '../../util/display-path.ts';
import { misuse } from '../../util/misuse.ts';
import { packageRoot } from '../../util/package-root.ts';
import { pathExists } from '../../util/path-exists.ts';
import { notFound, readText } from '../../util/read-text.ts';
import { InputError } from '../../util/stack-error.ts';

const service = z.enum(['pushgateway', 'prometheus', 'alertmanager', 'grafana', 'sink']);
const push = z
  .strictObject({
    group: z.record(z.string(), z.string()),
    metrics: z.string().min(1),
    from: z.number().optional(),
    to: z.number().optional(),
    over: duration.optional(),
  })
  .refine(
    ({ from, to, over }) => [from, to, over].every((key) => key === undefined) || ![from, to, over].includes(undefined),
    { error: 'from, to and over are given together: $value goes from one to the other in that time' },
  );
/** Steps edit a copy of the scenario; the files beside it stay as they are. */
const isInside = (path: string): boolean => !isAbsolute(path) && !/^\.\.?(?:$|\/)/.test(posix.normalize(path));
const edits = z.record(z.string(), z.string()).refine((files) => Object.keys(files).every(isInside), {
  error: 'each file is named by its path in the folder of the scenario, such as rules/shop.yml',
});
const step = z.strictObject({
  say: z.string().min(1),
  push: push.optional(),
  stop: service.optional(),
  start: service.optional(),
  reload: z.strictObject({ files: edits, refused: z.boolean().default(false) }).optional(),
  rollback: z.literal(true).optional(),
  pause: duration.optional(),
  until: z.string().optional(),
  alert: z.strictObject({ name: z.string(), state: z.enum(['pending', 'firing', 'inactive']) }).optional(),
  notification: z.strictObject({ alert: z.string(), status: z.enum(['firing', 'resolved']) }).optional(),
  look: z.array(z.string()).default([]),
});
const scenarioSchema = z.strictObject({ title: z.string().min(1), steps: z.array(step).min(1) });

/** A step of a scenario: what happens, then what it leads to, then where to look. */
export type ScenarioStep = z.output<typeof step>;

/** An incident that `promstack demo --scenario` plays, with the stack it happens in. */
export interface Scenario extends z.output<typeof scenarioSchema> {
  /** The name of its folder. */
  readonly name: string;
  /** Absolute; it also has the stack.yml. */
  readonly folder: string;
}

const fileName = 'scenario.yml';
const shipped = (): string => join(packageRoot(), 'stack', 'demo', 'scenarios');

/** The scenarios that ship with promstack, by name. */
export async function shippedScenarios(): Promise<readonly Scenario[]> {
  const names = (await readdir(shipped())).toSorted();
  return Promise.all(names.map((name) => readScenario(join(shipped(), name), packageRoot())));
}

/** A scenario by its name, or by the folder of one of the user's; throws an InputError. */
export async function findScenario(named: string, cwd: string): Promise<Scenario> {
  const folder = resolve(cwd, named);
  if (/[/\\.]/.test(named) || (await pathExists(join(folder, fileName)))) return readScenario(folder, cwd);
  const names = (await readdir(shipped())).toSorted();
  if (names.includes(named)) return readScenario(join(shipped(), named), cwd);
  const message = `--scenario ${named}: there is no such scenario`;
  throw new InputError([misuse(message, `one of ${names.join(', ')}, or a folder that has a ${fileName}`)]);
}

async function readScenario(folder: string, cwd: string): Promise<Scenario> {
  const file = displayPath(join(folder, fileName), cwd);
  const text = await readText(join(folder, fileName));
  if (typeof text !== 'string') {
    const hint = text.because === notFound ? '`promstack demo --scenario NAME --eject FOLDER` writes one' : text.hint;
    throw new InputError([misuse(`${file} ${text.because}`, hint)]);
  }
  const source = readYaml(text, file);
  if (!source.isWhole) throw new InputError(source.diagnostics);
  const { value } = toSchemaInput(source.value, scenarioSchema);
  const parsed = scenarioSchema.safeParse(value);
  if (parsed.success) return { ...parsed.data, name: basename(folder), folder };
  throw new InputError(toProblems(parsed.error.issues, value, scenarioSchema).map(source.toDiagnostic));
}
