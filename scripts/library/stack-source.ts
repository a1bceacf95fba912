import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, isAbsolute, join, resolve, sep } from 'node:path';
import { stringify } from 'yaml';
import type { StackConfig } from '../../stack/config.ts';
import { loadConfig } from '../config/load.ts';
import { renderStack } from '../render/render-stack.ts';
import type { Rendering } from '../render/rendering.ts';
import type { Report } from '../util/event.ts';
import { misuse } from '../util/misuse.ts';
import { makeOwnFolder } from '../util/own-folder.ts';
import { InputError } from '../util/stack-error.ts';
import type { StackKeys } from './stack-input.ts';

/** A stack.yml as an object; keys whose value is `undefined` count as absent. */
export type StackInput = Given<StackKeys>;

/** As users write it: with constants, and with values that may be undefined. */
type Given<T> = T extends readonly (infer Item)[]
  ? readonly Given<Item>[]
  : T extends object
    ? {
        readonly [Key in keyof T]: Record<never, never> extends Pick<T, Key>
          ? Given<T[Key]> | undefined
          : Given<T[Key]>;
      }
    : T;

/** Files by their paths from the folder of the stack; `undefined` removes one. */
export type StackFiles = Readonly<Record<string, string | undefined>>;

/** What a stack is rendered from: a config object with files, or a stack.yml. */
export interface StackSource {
  /** Renders it with keys that override its own, and reports its warnings. */
  render(overrides: Readonly<Record<string, unknown>>): Promise<Rendering>;
  /** Its keys alone, which takes a tenth of the time; undefined when they have a mistake. */
  config(): Promise<StackConfig | undefined>;
  /** Replaces the config, and some of the files, for the next rendering. */
  change(config: StackInput | undefined, files: StackFiles | undefined): Promise<void>;
  /** Removes what was written for it. */
  remove(): Promise<void>;
}

interface SourceOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly report: Report;
  readonly signal: AbortSignal;
}

/** A stack.yml, by its path or that of its folder. */
export function fileSource(
  file: string,
  files: StackFiles,
  options: SourceOptions & { readonly cwd: string },
): StackSource {
  const message = `the stack of ${file} takes its config and files from there`;
  if (Object.keys(files).length > 0) throw new InputError([misuse(message, 'write the files next to it')]);
  return {
    render: async (overrides) => rendered(await renderStack({ ...options, file, overrides }), options.report),
    config: () => configIn(loadConfig({ ...options, file })),
    change: async () => {
      throw new InputError([misuse(message, 'edit the files, and call reload() without arguments')]);
    },
    remove: async () => undefined,
  };
}

/** The name of a config object in messages. */
const configName = 'config';

/** A config object; its paths are relative to a folder of its own, with these files. */
export async function objectSource(
  given: StackInput,
  files: StackFiles,
  { env, report, signal }: SourceOptions,
): Promise<StackSource> {
  let config = given;
  const folder = await makeOwnFolder();
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true });
  const path = join(folder, configName);
  const stackFiles = { paths: [path], envFiles: { paths: [join(folder, '.env')], areNamed: false } } as const;
  // Diagnostics are at lines of the config as YAML.
  const input = (text: string) => ({ cwd: folder, env, signal, files: stackFiles, pipes: new Map([[path, text]]) });
  const source: StackSource = {
    render: async (overrides) => {
      const text = toYaml(config);
      return rendered(await renderStack({ ...input(text), overrides }), report, { file: configName, text });
    },
    config: async () => configIn(loadConfig(input(toYaml(config)))),
    change: async (next, changed = {}) => {
      config = next ?? config;
      for (const [name, content] of Object.entries(changed)) await writeIn(folder, name, content);
    },
    remove,
  };
  try {
    await source.change(given, files);
  } catch (error) {
    await remove();
    throw error;
  }
  return source;
}

function toYaml(config: StackInput): string {
  try {
    return stringify(config, { lineWidth: 0 });
  } catch (cause) {
    const message = `the config cannot be written as YAML: ${cause instanceof Error ? cause.message : String(cause)}`;
    throw new InputError([misuse(message, 'use strings, numbers, booleans, arrays and plain objects')]);
  }
}

async function writeIn(folder: string, name: string, content: string | undefined): Promise<void> {
  const path = resolve(folder, name);
  if (isAbsolute(name) || !path.startsWith(folder + sep) || path === join(folder, configName)) {
    throw new InputError([
      misuse(`the file ${name} is not below the folder of the stack`, 'use a path like rules/a.yml'),
    ]);
  }
  try {
    if (content === undefined) return await rm(path, { force: true });
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, content, { mode: 0o600 });
  } catch (cause) {
    const message = `the file ${JSON.stringify(name)} cannot be written: ${cause instanceof Error ? cause.message : String(cause)}`;
    throw new InputError([misuse(message, 'each path is that of one file, and its content is a string')]);
  }
}

async function configIn(loading: ReturnType<typeof loadConfig>): Promise<StackConfig | undefined> {
  const loaded = await loading;
  return loaded.ok ? loaded.value.config : undefined;
}

/** The rendering, whose warnings are reported; throws an InputError with all mistakes when there is none. */
export function rendered(
  result: Awaited<ReturnType<typeof renderStack>>,
  report: Report,
  source?: InputError['source'],
): Rendering {
  if (!result.ok) throw new InputError(result.error, source);
  const { rendering } = result.value;
  if (!rendering.ok) throw new InputError(rendering.error, source);
  for (const diagnostic of rendering.warnings) report({ kind: 'diagnostic', diagnostic });
  return rendering.value;
}
