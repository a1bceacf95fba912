import { parse } from 'yaml';
import type { RenderedFile } from '../model.ts';
import { Secret } from '../secret.ts';
import type { FileProblem } from '../service.ts';
import { configDir } from '../values/container.ts';
import { isNative } from '../values/native.ts';
import { revisionRulePath, sampleRuleFiles } from './proofs.ts';

/**
 * Rule files that a prometheus.yml of the person's own does not read: Prometheus takes that without a word, and without
 * the rule that carries the revision nothing shows what it runs.
 */
export function unreadRules(files: readonly RenderedFile[]): readonly FileProblem[] {
  const main = files.find(({ path }) => path === 'prometheus.yml');
  if (main === undefined || main.isShipped === true) return [];
  const patterns = patternsIn(main.content instanceof Secret ? main.content.reveal() : main.content);
  if (patterns === undefined) return [];
  const needed = [revisionRulePath, ...sampleRuleFiles(files)];
  const unread = needed.filter((path) => !patterns.some((pattern) => matchesGoGlob(pattern, path)));
  return unread.map((path) => ({
    file: main,
    code: 'unread-rules',
    path: ['rule_files'],
    message:
      path === revisionRulePath
        ? `no rule_files name ${path}, which promstack writes: by it Prometheus shows which files it runs`
        : `no rule_files name ${path}, so its rules would never be evaluated`,
    hint: `put "${path.replace(/[^/]+(\.[^./]+)$/, '*$1')}" into the list`,
  }));
}

/** The patterns below the folder of prometheus.yml; undefined when the file is no mapping, which promtool tells. */
function patternsIn(text: string): readonly string[] | undefined {
  try {
    const config: unknown = parse(text, { merge: true, logLevel: 'error' });
    if (!isNative(config)) return undefined;
    const written = config['rule_files'];
    const patterns = Array.isArray(written) ? written.filter((one): one is string => typeof one === 'string') : [];
    return patterns.map((pattern) =>
      pattern.startsWith(`${configDir}/`) ? pattern.slice(configDir.length + 1) : pattern,
    );
  } catch {
    return undefined;
  }
}

/** Whether a path matches a pattern of Go's filepath.Match, which Prometheus reads `rule_files` with: no wildcard crosses a slash. */
export function matchesGoGlob(pattern: string, path: string): boolean {
  const source = pattern.replaceAll(
    /\\(.)|\[(\^?)((?:\\.|[^\]\\])+)\]|[*?]|[^\\[*?]+|[\\[]/g,
    (part, escaped?: string, not?: string, set?: string) => {
      if (escaped !== undefined) return literal(escaped);
      if (set !== undefined) return `[${not === '^' ? '^/' : ''}${set.replaceAll('[', '\\[')}]`;
      if (part === '*') return '[^/]*';
      if (part === '?') return '[^/]';
      // What is not closed is no pattern, and matches nothing; Prometheus refuses it.
      if (part === '[' || part === '\\') return '(?!)';
      return literal(part);
    },
  );
  try {
    return new RegExp(`^${source}$`, 'u').test(path);
  } catch {
    // A range that runs backwards is no pattern either.
    return false;
  }
}

function literal(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
}
