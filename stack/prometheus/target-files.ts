import type { KeyPath } from '../diagnostic.ts';
import type { RenderedFile } from '../model.ts';
import { contentOf } from '../secret.ts';
import type { FileProblem } from '../service.ts';
import { matchesGoGlob } from '../values/go-glob.ts';
import { jsonErrorAt } from '../values/json-error.ts';
import { isMapping, type Mapping } from '../values/mapping.ts';
import { parseJson, parseYaml } from '../values/parse.ts';
import { PlainScalar } from '../values/plain-scalar.ts';
import { expected, quoted } from '../values/words.ts';
import { discoveries } from './file-sd.ts';
import { targetProblem, usesOfAddress } from './problems.ts';

/** What Prometheus refuses in a file of `file_sd_configs`: it would log an error and keep the targets of before. */
export function targetFileProblems(files: readonly RenderedFile[]): readonly FileProblem[] {
  const all = discoveries(files);
  return files.flatMap((file): readonly FileProblem[] => {
    const jobs = all.filter(({ pattern }) => matchesGoGlob(pattern, file.path)).map(({ job }) => job);
    return jobs.length === 0 ? [] : problemsIn(file, jobs);
  });
}

function problemsIn(file: RenderedFile, jobs: readonly Mapping[]): readonly FileProblem[] {
  const problem = (path: KeyPath, message: string, hint?: string, atKey = false): FileProblem => {
    return { file, code: 'target-file', path, message, hint, atKey };
  };
  if (file.isBinary === true) return [problem([], `${file.origin} is not UTF-8 text, so Prometheus cannot read it`)];
  const text = contentOf(file);
  const isJson = /\.json$/i.test(file.path);
  const offset = isJson ? jsonErrorAt(text) : undefined;
  if (offset !== undefined) {
    const message = text.trim() === '' ? 'an empty file is not valid JSON' : 'this is not valid JSON';
    return [
      { ...problem([], message, text.trim() === '' ? 'write [] for no targets' : jsonHint(text, offset)), offset },
    ];
  }
  const uses = jobs.map(usesOfAddress);
  const use = uses.find((value) => value === 'changes') ?? uses.find((value) => value === 'reads') ?? 'none';

  const groupProblems = (group: unknown, path: KeyPath): readonly FileProblem[] => {
    if (!isMapping(group)) {
      const hint = typeof group === 'string' ? `write {"targets": [${quoted(group)}]}` : undefined;
      return [problem(path, expected('a group of targets', group), hint)];
    }
    return Object.entries(group).flatMap(([key, value]): readonly FileProblem[] => {
      const here = [...path, key];
      // Go's JSON accepts any case.
      const name = isJson ? key.toLowerCase() : key;
      if (name === 'targets') return targetsProblems(value, here);
      if (name === 'labels') return labelsProblems(value, here);
      return [problem(here, `unknown key ${quoted(key)}`, 'a group has "targets" and "labels"', true)];
    });
  };
  const targetsProblems = (value: unknown, path: KeyPath): readonly FileProblem[] => {
    if (value === null || value === undefined) return [];
    if (!Array.isArray(value)) {
      const hint = typeof value === 'string' ? `write [${quoted(value)}]` : undefined;
      return [problem(path, expected('a list of targets', value), hint)];
    }
    return value.flatMap((target: unknown, at): readonly FileProblem[] => {
      const here = [...path, at];
      if (typeof target !== 'string') {
        if (!isJson && (target instanceof PlainScalar || typeof target !== 'object')) return [];
        return [problem(here, expected('a target such as host:9100', target), 'write "host:port", in quotes')];
      }
      if (target === '') return [problem(here, 'a target is host:port, and this one is empty')];
      return targetProblem(target, here, use).map((found) => ({ ...found, file, canBeIgnored: !isJson }));
    });
  };
  const labelsProblems = (value: unknown, path: KeyPath): readonly FileProblem[] => {
    if (value === null || value === undefined) return [];
    if (!isMapping(value)) return [problem(path, expected('a mapping of labels', value))];
    return Object.entries(value).flatMap(([name, label]): readonly FileProblem[] => {
      const here = [...path, name];
      if (name === '') return [problem(here, 'a label needs a name', undefined, true)];
      const isScalar = label instanceof PlainScalar || typeof label !== 'object' || label === null;
      if (typeof label === 'string' || (!isJson && isScalar) || label === null) return [];
      const hint = isScalar ? `write "${String(label)}"` : 'put several values into several labels';
      return [problem(here, expected('a string', label), hint)];
    });
  };

  const content = isJson ? parseJson(text) : parseYaml(text, { valid: true });
  if (content === null || isBlank(text)) return [];
  // Its place and reason come from reading it again, with positions.
  if (content === undefined) return [problem([], `this is not valid ${isJson ? 'JSON' : 'YAML'}`)];
  if (Array.isArray(content)) return content.flatMap((group: unknown, at) => groupProblems(group, [at]));
  return [problem([], expected('a list of groups of targets', content), 'start each group with "- targets:"')];
}

const isBlank = (text: string): boolean => text.replaceAll(/^\s*(?:#.*|---)?$/gm, '').trim() === '';

function jsonHint(text: string, offset: number): string | undefined {
  const [rest, before] = [text.slice(offset), text.slice(0, offset).trimEnd()];
  if (offset === 0 && rest.startsWith('\uFEFF')) return 'save it without a byte order mark';
  if (/^(?:\/[/*]|#)/.test(rest)) return 'JSON has no comments: remove it, or rename the file to .yml';
  if (/^[}\]]/.test(rest) && before.endsWith(',')) return 'remove the comma before it';
  if (rest.startsWith("'")) return 'JSON strings have double quotes';
  return rest.trim() === '' ? 'it ends before all brackets are closed' : undefined;
}
