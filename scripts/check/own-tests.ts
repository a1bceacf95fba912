import { posix, relative, resolve } from 'node:path';
import { type InhibitRule, parseInhibitRule } from '../../stack/alertmanager/inhibition.ts';
import { readMainFile } from '../../stack/alertmanager/main-file.ts';
import { parseRoute } from '../../stack/alertmanager/routing-tree.ts';
import type { Diagnostic, Problem } from '../../stack/diagnostic.ts';
import type { RenderedFile } from '../../stack/model.ts';
import {
  alertTestProblems,
  inhibitTestProblems,
  resemblesTestFile,
  rewriteRuleFiles,
  routeTestProblems,
  type TestFile,
  testFileKind,
  testFileSchema,
} from '../../stack/own-tests.ts';
import { isMapping, type Mapping, mappingsIn } from '../../stack/values/mapping.ts';
import { findByGlob, isGlob } from '../config/glob.ts';
import type { OwnTest } from '../config/loaded.ts';
import { toProblems, toSchemaInput } from '../config/validate.ts';
import { readYaml } from '../config/yaml-source.ts';
import type { Rendering } from '../render/rendering.ts';

/** The result of the user's tests. */
interface OwnTests {
  /** The tests that promtool runs, prepared for it. */
  readonly ruleTests: readonly RenderedFile[];
  /** Failed tests of routes and inhibit rules, and errors in the test files. */
  readonly diagnostics: readonly Diagnostic[];
}

/** Runs the user's tests of routes and inhibit rules on the rendered files, and prepares the user's rule tests for promtool. */
export async function runOwnTests(rendering: Rendering): Promise<OwnTests> {
  const { tests = [] } = rendering.written ?? {};
  const results = await Promise.all(tests.map((test) => runFile(test, rendering)));
  return {
    ruleTests: results.flatMap(({ ruleTests }) => ruleTests),
    diagnostics: results.flatMap(({ diagnostics }) => diagnostics),
  };
}

/** Adds the user's rule tests to a rendering and runs the user's other tests. */
export async function withOwnTests(
  rendering: Rendering,
): Promise<{ readonly rendering: Rendering; readonly diagnostics: readonly Diagnostic[] }> {
  const { ruleTests, diagnostics } = await runOwnTests(rendering);
  return { rendering: { ...rendering, tests: [...rendering.tests, ...ruleTests] }, diagnostics };
}

async function runFile(test: OwnTest, rendering: Rendering): Promise<OwnTests> {
  const source = readYaml(test.content, test.origin);
  const only = (problems: readonly Problem[]): OwnTests => ({
    ruleTests: [],
    diagnostics: [...source.diagnostics, ...problems.map(source.toDiagnostic).toSorted(byPlace)],
  });
  const notRun: OwnTests = { ruleTests: [], diagnostics: [source.toDiagnostic(notATest(test.origin))] };
  if (!source.isWhole) return resemblesTestFile(test.content) ? only([]) : notRun;
  switch (testFileKind(source.value)) {
    case 'promtool': {
      const prepared = await prepareRuleTest(test, source.value, rendering);
      if (prepared === undefined) return only([withoutService(['rule_files'], 'Prometheus', 'rules')]);
      const hasErrors = prepared.problems.some(({ severity = 'error' }) => severity === 'error');
      return { ...only(prepared.problems), ruleTests: hasErrors ? [] : [prepared.file] };
    }
    case 'own':
      return only(ownProblems(source.value, rendering));
    case 'both':
      return only([mixed]);
    case 'unknown':
      return notRun;
  }
}

const byPlace = (a: Diagnostic, b: Diagnostic): number => (a.where?.offset ?? 0) - (b.where?.offset ?? 0);

const mixed: Problem = {
  code: 'test-file',
  path: [],
  message: 'this file mixes promtool tests with promstack tests',
  hint: 'move those of routes and inhibit rules to another file',
};

function notATest(origin: string): Problem {
  return {
    code: 'test-file',
    severity: 'note',
    path: [],
    message: `${origin} is not run: it is not a test file`,
    hint: 'a test file has "routes", "inhibit" or "tests" with "alerts", or "rule_files" and "tests" for promtool',
  };
}

const withoutService = (path: Problem['path'], service: string, what: string): Problem => ({
  code: 'could-not-check',
  severity: 'warning',
  path,
  atKey: true,
  message: `these tests are not run: the stack has no ${service}, so it has no ${what}`,
});

function ownProblems(content: unknown, rendering: Rendering): readonly Problem[] {
  const { value } = toSchemaInput(content, testFileSchema);
  const parsed = testFileSchema.safeParse(value);
  if (!parsed.success) return toProblems(parsed.error.issues, value, testFileSchema);
  const { routes, inhibit, tests }: TestFile = parsed.data;
  const config = readMainFile(rendering.services.find(({ service }) => service.name === 'alertmanager')?.files ?? []);
  if (config === undefined) {
    return [withoutService(Object.keys(value as Mapping).slice(0, 1), 'Alertmanager', 'routes')];
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
    ...(tests.length === 0
      ? []
      : root !== undefined && isReadable
        ? alertTestProblems(tests, root, rules, receivers)
        : [unreadable('tests')]),
  ];
}

/** amtool reports invalid syntax, but not valid syntax that is newer than promstack. */
function unreadable(key: string): Problem {
  return {
    code: 'could-not-check',
    severity: 'warning',
    path: [key],
    atKey: true,
    message: 'these tests are not run: promstack cannot parse the configuration that they test',
  };
}

/** The folder of the user's tests in the config directory; shipped tests are not in it. */
const testsFolder = 'tests/user';

/** A promtool test file with its rule files' rendered paths; undefined in a stack without Prometheus. */
async function prepareRuleTest(
  test: OwnTest,
  content: unknown,
  rendering: Rendering,
): Promise<{ readonly file: RenderedFile; readonly problems: readonly Problem[] } | undefined> {
  const prometheus = rendering.services.find(({ service }) => service.name === 'prometheus');
  if (prometheus === undefined) return undefined;
  const rules = prometheus.files.filter(({ path }) => /^rules\/.*\.ya?ml$/.test(path));
  const { cwd = rendering.folder } = rendering.written ?? {};
  const folder = resolve(test.path, '..');
  const renderedPaths = new Map(rules.map((file) => [resolve(cwd, file.origin), file.path]));
  const matches = await globbed(content, folder);

  const targetsOf = (path: string): readonly string[] => {
    const own = (matches.get(path) ?? [path]).flatMap((file) => renderedPaths.get(resolve(folder, file)) ?? []);
    // Shipped rules have paths as if they were in the folder `rules` next to stack.yml.
    const shipped = posix.normalize(relative(rendering.folder, resolve(folder, path)));
    const targets = own.length > 0 ? own : rules.some((file) => file.path === shipped) ? [shipped] : [];
    return targets.map((target) => posix.relative(testsFolder, target));
  };
  const known = rules.map(({ origin, path, isShipped }) =>
    isShipped === true ? `../${path}` : relative(folder, resolve(cwd, origin)),
  );
  const { text, problems } = rewriteRuleFiles(test.content, targetsOf, known);
  const file: RenderedFile = {
    service: 'prometheus',
    path: `${testsFolder}/${posix.basename(test.path)}`,
    content: text,
    mode: 0o444,
    origin: test.origin,
    isVerbatim: true,
  };
  return { file, problems };
}

/** The matches of each glob in `rule_files`. */
async function globbed(value: unknown, folder: string): Promise<ReadonlyMap<string, readonly string[]>> {
  const paths = isMapping(value) && Array.isArray(value['rule_files']) ? value['rule_files'] : [];
  const globs = paths.map(String).filter(isGlob);
  return new Map(await Promise.all(globs.map(async (glob) => [glob, await findByGlob(folder, glob)] as const)));
}
