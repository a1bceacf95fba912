import type { Engine } from '../../scripts/engine/engine.ts';
import { buildFromPackages } from '../../scripts/engine/images/packages.ts';
import { recipes } from '../../scripts/engine/images/recipes.ts';

const programs = ['prometheus', 'alertmanager', 'pushgateway'] as const;

type Images = Readonly<Record<(typeof programs)[number], string>>;

/**
 * The images of a Debian suite's packages, named like the official ones in a registry of their own: `old.test/prom/prometheus:v2.42.0`.
 * `bookworm` has Prometheus 2.42, `trixie` 2.53, `sid` the newest.
 */
export async function imagesOf(engine: Engine, suite: 'bookworm' | 'trixie' | 'sid'): Promise<Images> {
  const vendor = `promstack-${suite}`;
  const built = async (): Promise<readonly string[]> => {
    const images = await engine.listImages({});
    return images.flatMap((image) => image.tags).filter((tag) => tag.startsWith(`${vendor}/`));
  };
  if ((await built()).length < programs.length) {
    const wanted = recipes.filter(({ program }) => programs.some((name) => name === program));
    const options = { vendor, suites: [suite] };
    const outcomes = await buildFromPackages(engine, wanted, () => undefined, AbortSignal.timeout(240_000), options);
    for (const outcome of outcomes.values()) if (outcome.kind === 'failed') throw new Error(outcome.why);
  }
  const named = await Promise.all(
    (await built()).map(async (tag) => {
      const [, program = '', version = ''] = /\/(.*):(.*)-debian$/.exec(tag) ?? [];
      const name = `old.test/prom/${program}:v${version}`;
      await engine.tagImage(tag, name);
      return [program, name] as const;
    }),
  );
  return Object.fromEntries(named) as Images;
}
