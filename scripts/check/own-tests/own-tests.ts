import { posix, relative, resolve } from 'node:path';
import { type InhibitRule, parseInhibitRule } from '../../../stack/alertmanager/inhibition.ts';
import { readMainFile } from '../../../stack/alertmanager/main-file.ts';
import { parseRoute } from '../../../stack/alertmanager/routing-tree.ts';
import type { Diagnostic, Problem } from '../../../stack/diagnostic.ts';
import type { RenderedFile } from '../../../stack/model.ts';
import {
  inhibitTestProblems,
  rewriteRuleFiles,
  routeTestProblems,
  type TestFile,
  testFileKind,
  testFileSchema,
} from '../../../stack/own-tests.ts';
import { isMapping, type Mapping, mappingsIn } from '../../../stack/values/mapping.ts';
import { findByGlob, isGlob } from '../../config/glob.ts';
import type { OwnTest } from '../../config/loaded.ts';
import { toProblems, toSchemaInput } from '../../config/validate.ts';
import { readYaml } from '../../config/yaml-source.ts';
import type { Rendering } from '../../render/rendering.ts';

/** What the person's own tests come to. */
interface OwnTests {
  /** Those that promtool runs, ready for it. */
  readonly ruleTests: readonly RenderedFile[];
  /** Failed tests of routes and inhibit rules, and what is wrong with the files. */
  readonly diagnostics: readonly Diagnostic[];
}

/** Runs the person's tests of routes and inhibit rules over the rendered files, and readies their rule tests for promtool. */
export async function runOwnTests(rendering: Rendering): Promise<OwnTests> {
  const { tests = [] } = rendering.written ?? {};
  const judged = await Promise.all(tests.map((test) => judgeFile(test, rendering)));
  return {
    ruleTests: judged.flatMap((one) => one.ruleTests),
    diagnostics: judged.flatMap((one) => one.diagnostics),
  };
}

/** The rendering with the person's rule tests among its tests, and what their other tests came to. */
export async function withOwnTests(
  rendering: Rendering,
): Promise<{ readonly rendering: Rendering; readonly diagnostics: readonly Diagnostic[] }> {
  const { ruleTests, diagnostics } = await runOwnTests(rendering);
  return { rendering: { ...rendering, tests: [...rendering.tests, ...ruleTests] }, diagnostics };
}

async function judgeFile(test: OwnTest, rendering: Rendering): Promise<OwnTests> {
  const source = readYaml(test.content, test.origin);
  const only = (problems: readonly Problem[]): OwnTests => ({
    ruleTests: [],
    diagnostics: [...source.diagnostics, ...problems.map(source.toDiagnostic).toSorted(byPlace)],
  });
  if (!source.isWhole) return only([]);
  switch (testFileKind(source.value)) {
    case 'promtool': {
      const ready = await readyRuleTest(test, source.value, rendering);
      if (ready === undefined) return only([notRun(['rule_files'], 'Prometheus', 'rules')]);
      return { ...only(ready.problems), ruleTests: ready.problems.length > 0 ? [] : [ready.file] };
    }
    case 'own':
      return only(ownProblems(source.value, rendering));
    case 'both':
      return only([mixed]);
    case 'unknown':
      return only([unlike(test.origin)]);
  }
}

const byPlace = (one: Diagnostic, other: Diagnostic): number => (one.where?.offset ?? 0) - (other.where?.offset ?? 0);

const mixed: Problem = {
  code: 'test-file',
  path: [],
  message: "this file holds tests of promtool's and of promstack's",
  hint: 'move "routes" and "inhibit" into a file of their own',
};

function unlike(origin: string): Problem {
  return {
    code: 'test-file',
    severity: 'warning',
    path: [],
    message: `${origin} is not run: it is no file of tests`,
    hint: 'a file of tests has "routes" or "inhibit", or is one for promtool, with "rule_files" and "tests"',
  };
}

const notRun = (path: Problem['path'], service: string, what: string): Problem => ({
  code: 'could-not-check',
  severity: 'warning',
  path,
  atKey: true,
  message: `these tests are not run: the stack is without ${service}, so it has no ${what}`,
});

function ownProblems(content: unknown, rendering: Rendering): readonly Problem[] {
  const { value } = toSchemaInput(content, testFileSchema);
  const read = testFileSchema.safeParse(value);
  if (!read.success) return toProblems(read.error.issues, value, testFileSchema);
  const { routes, inhibit }: TestFile = read.data;
  const config = readMainFile(rendering.services.find(({ service }) => service.name === 'alertmanager')?.files ?? []);
  if (config === undefined) {
    return [notRun(Object.keys(value as Mapping).slice(0, 1), 'Alertmanager', 'routes')];
  }
  const root = parseRoute(config['route']);
  const rules = (Array.isArray(config['inhibit_rules']) ? config['inhibit_rules'] : []).map(parseInhibitRule);
  const isReadable = rules.every((rule): rule is InhibitRule => rule !== undefined);
  const receivers = mappingsIn(config['receivers'], []).map(({ value: receiver }) => String(receiver['name']));
  return [
    ...(routes.length === 0
      ? []
      : root === undefined
        ? [unreadable('routes')]
        : routeTestProblems(routes, root, receivers)),
    ...(inhibit.length === 0 ? [] : isReadable ? inhibitTestProblems(inhibit, rules) : [unreadable('inhibit')]),
  ];
}

/** A tree that Alertmanager would refuse is told of by amtool; one of a newer version than is known here is not. */
function unreadable(key: string): Problem {
  return {
    code: 'could-not-check',
    severity: 'warning',
    path: [key],
    atKey: true,
    message: 'these tests are not run: what they test is written in a way that promstack cannot read',
  };
}

/** Where tests of the person's own lie, beside the files they test, in a folder that no test of promstack's uses. */
const landing = 'tests/user';

/** A file of promtool's tests beside the rules it tests as they landed, or what it names in vain; a stack without Prometheus has neither. */
async function readyRuleTest(
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
  const paths = isMapping(value) && Array.isArray(value['rule_files']) ? value['rule_files'] : [];
  const globs = paths.map(String).filter(isGlob);
  return new Map(await Promise.all(globs.map(async (glob) => [glob, await findByGlob(folder, glob)] as const)));
}
