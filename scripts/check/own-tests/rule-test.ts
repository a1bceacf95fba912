import { posix, relative, resolve } from 'node:path';
import type { Problem } from '../../../stack/diagnostic.ts';
import type { RenderedFile } from '../../../stack/model.ts';
import { rewriteRuleFiles } from '../../../stack/own-tests/rule-tests.ts';
import { isNative } from '../../../stack/values/native.ts';
import { findByGlob, isGlob } from '../../config/glob.ts';
import type { OwnTest } from '../../config/own-tests.ts';
import type { Rendering } from '../../render/rendering.ts';

/** Where tests of the person's own lie, beside the files they test, in a folder that no test of promstack's uses. */
const landing = 'tests/user';

/** A file of promtool's tests beside the rules it tests as they landed, or what it names in vain; a stack without Prometheus has neither. */
export async function readyRuleTest(
  test: OwnTest,
  content: unknown,
  rendering: Rendering,
): Promise<{ readonly file: RenderedFile; readonly problems: readonly Problem[] } | undefined> {
  const prometheus = rendering.services.find(({ service }) => service.name === 'prometheus');
  if (prometheus === undefined) return undefined;
  const rules = prometheus.files.filter(({ path }) => /^rules\/.*\.ya?ml$/.test(path));
  const { cwd = rendering.folder } = rendering.written ?? {};
  const folder = resolve(test.path, '..');
  const placed = new Map(rules.map((file) => [resolve(cwd, file.origin), file.path]));
  const named = await globbed(content, folder);

  const landingsOf = (path: string): readonly string[] => {
    const own = (named.get(path) ?? [path]).flatMap((one) => placed.get(resolve(folder, one)) ?? []);
    // Shipped rules are named as though they lay in the folder of rules beside stack.yml.
    const shipped = posix.normalize(relative(rendering.folder, resolve(folder, path)));
    const found = own.length > 0 ? own : rules.some((file) => file.path === shipped) ? [shipped] : [];
    return found.map((one) => posix.relative(landing, one));
  };
  const known = rules.map(({ origin, path, isShipped }) =>
    isShipped === true ? `../${path}` : relative(folder, resolve(cwd, origin)),
  );
  const { text, problems } = rewriteRuleFiles(test.content, landingsOf, known);
  const file: RenderedFile = {
    service: 'prometheus',
    path: `${landing}/${posix.basename(test.path)}`,
    content: text,
    mode: 0o444,
    origin: test.origin,
    isVerbatim: true,
  };
  return { file, problems };
}

/** The files that each glob under `rule_files` matches. */
async function globbed(value: unknown, folder: string): Promise<ReadonlyMap<string, readonly string[]>> {
  const paths = isNative(value) && Array.isArray(value['rule_files']) ? value['rule_files'] : [];
  const globs = paths.map(String).filter(isGlob);
  return new Map(await Promise.all(globs.map(async (glob) => [glob, await findByGlob(folder, glob)] as const)));
}
