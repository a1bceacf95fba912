import { homedir } from 'node:os';
import { join, relative } from 'node:path';
import { expect, test } from 'vitest';
import { readCompose } from '../../../scripts/move/compose-project.ts';
import { Findings } from '../../../scripts/move/findings.ts';
import { InputFiles } from '../../../scripts/move/input-files.ts';
import { packageRoot } from '../../../scripts/util/package-root.ts';
import recordedDialect from './compose/dialect/recorded.json' with { type: 'json' };
import recordedOverrides from './compose/overrides/recorded.json' with { type: 'json' };

/** `recorded.json` has what `docker compose --profile '*' config --format json` of docker compose 2.40.3 says of the files beside it. */
test.each([
  ['dialect', ['compose.yaml'], recordedDialect],
  ['overrides', ['compose.yaml', 'compose.override.yaml'], recordedOverrides],
] as const)('compose files must be read as docker compose reads them: %s', async (name, paths, recorded) => {
  const folder = join(packageRoot(), 'test/scripts/move/compose', name);
  const findings = new Findings();
  const inputs = new InputFiles(folder, findings);
  const files = await Promise.all(paths.map((path) => inputs.open(join(folder, path))));
  const project = await readCompose(
    files.flatMap((file) => file ?? []),
    { inputs, findings, env: {} },
  );
  const pathOf = (source: string): string => {
    if (/\/(?:configs|secrets)\.\w+$/.test(source)) return 'content';
    if (!source.startsWith(packageRoot()) && source.startsWith(homedir())) return `~${source.slice(homedir().length)}`;
    const path = relative(folder, source);
    return path.startsWith('../../')
      ? source
      : path === '' || !path.startsWith('..')
        ? `./${path}`.replace(/\/$/, '')
        : path;
  };
  expect(findings.problems).toEqual([]);
  expect({
    name: project?.name,
    services: Object.fromEntries(
      (project?.services ?? []).map((service) => [
        service.name,
        {
          image: service.image,
          command: service.args.map(({ text }) => text),
          environment: Object.fromEntries([...service.environment].map(([key, { text }]) => [key, text])),
          mounts: service.mounts.map(({ source, target }) => `${pathOf(source)}:${target}`).sort(),
          volumes: service.volumes.map(({ volume, target }) => `${volume}:${target}`).sort(),
          networks: [...service.networks].sort(),
        },
      ]),
    ),
  }).toEqual(recorded);
});
