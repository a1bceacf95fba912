/**
 * The tests that are too long for `npm test`, which runs one in so many of their cases, the same every time.
 * `npm run test:full` runs all, generated ones from another seed each time.
 */
export const shares = {
  'promstack killed after each kind of step of each change': 4,
  'Grafana killed or paused after each step of each change': 20,
  'expositions held against a Pushgateway and promtool': 10,
  'sequences of pushes held against a Pushgateway': 5,
  'labelled containers under watch': 10,
  'random PromQL with and without remembered shapes': 5,
  'hostile names on the live page': 12,
  'random YAML held against the yaml package': 5,
} as const;

/** The scenarios that only `npm run test:full` runs on the current engine too. */
export const onlyFullOnCurrentEngine: readonly string[] = [
  'reload-alerts',
  'watch',
  'killed',
  'verify',
  'demo',
  'networks',
  'history',
  'drift',
  'demo-scenarios',
];

/** The exporters that run in `npm test`; the servers of the others are large. */
export const coreExporters: readonly string[] = ['node', 'process', 'blackbox', 'redis', 'nginx'];

/** The images that `npm test` builds once more, from Debian's packages, to look into them. */
export const coreRecipes: readonly string[] = ['prometheus', 'alertmanager', 'pushgateway', 'node-exporter'];

export type LongTest = keyof typeof shares;

/** Set by `npm run test:full`. */
export const isFull = (process.env['PROMSTACK_TEST_FULL'] ?? '') !== '';

/** The cases of a long test to run. */
export function shareOf<T>(test: LongTest, all: readonly T[]): readonly T[] {
  return isFull ? all : all.filter((_, at) => at % shares[test] === 0);
}

/** Of everything that `npm test` generates. */
export const generatedSeed = 20_260_101;

/** How many cases a long test generates, for fast-check, and from which seed. */
export function generated(test: LongTest, all: number): { readonly numRuns: number; readonly seed?: number } {
  return isFull ? { numRuns: all } : { numRuns: all / shares[test], seed: generatedSeed };
}
