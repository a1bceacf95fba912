import type { Reporter, SerializedError, TestCase, TestModule } from 'vitest/node';
import { coreExporters, coreRecipes, isFull, onlyFullOnCurrentEngine, shares } from './shares.ts';

/**
 * Lists what a run omitted: tests that could not run, by reason, and those that only `npm run test:full` runs completely.
 * Names what failed once more after it, since logs of CI are cut off at their start.
 */
export default class RunSummary implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly SerializedError[]): void {
    const notRun = new Map<string, string[]>();
    for (const module of modules) {
      for (const test of module.children.allTests('skipped')) {
        const reason = `${module.relativeModuleId}: ${noteOf(test)}`;
        notRun.set(reason, [...(notRun.get(reason) ?? []), `  ${test.fullName}\n`]);
      }
    }
    const lines = [...notRun].flatMap(([reason, names]) => [`NOT RUN, ${names.length} of ${reason}\n`, ...names]);
    const parts = Object.entries(shares).map(([name, share]) => `  ${name}: 1 in ${share} here\n`);
    const scenarios = onlyFullOnCurrentEngine.map((scenario) => `  ${scenario} on the current engine: not here\n`);
    const started = `  exporters that run and read a server: only ${coreExporters.join(', ')} here\n`;
    const built = `  images built from packages: only ${coreRecipes.join(', ')} here\n`;
    const less = ['Only `npm run test:full` runs all of\n', ...parts, ...scenarios, started, built];
    process.stdout.write([...lines, ...(isFull ? [] : less), ...failures(modules, unhandled)].join(''));
  }
}

function failures(modules: readonly TestModule[], unhandled: readonly SerializedError[]): string[] {
  const inModules = modules.flatMap((module) => {
    const ofModule = `${module.project.name}, ${module.relativeModuleId}`;
    const suites = [module, ...module.children.allSuites()].map((suite) => ({
      name: `${ofModule}: outside of its tests`,
      errors: suite.errors(),
    }));
    const tests = [...module.children.allTests('failed')].map((test) => ({
      name: `${ofModule}: ${test.fullName}`,
      errors: test.result().errors ?? [],
    }));
    return [...suites, ...tests];
  });
  return [...inModules, { name: 'outside of any test', errors: unhandled }]
    .filter(({ errors }) => errors.length > 0)
    .map(
      ({ name, errors }) =>
        `FAILED: ${name}\n${errors.map(({ message }) => `${message.trim().replaceAll(/^/gm, '    ')}\n`).join('')}`,
    );
}

function noteOf(test: TestCase): string {
  const result = test.result();
  return (result.state === 'skipped' ? result.note : undefined) ?? 'no reason given';
}
