import { appendFile, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { folderWith } from '../../../support/config.ts';
import { runInProcess } from '../../../support/test-process.ts';

const env = { DOCKER_HOST: 'unix:///not-there.sock', TOKEN: 'planted-secret-1' };

it('must write manifests, replace its own files, and refuse to replace files that were changed', async () => {
  const job = '{job_name: a, authorization: {credentials: !env TOKEN}, static_configs: [{targets: [a:1]}]}';
  await using folder = await folderWith({ 'stack.yml': `name: shop\nprometheus: {scrape_configs: [${job}]}\n` });
  const run = (...more: readonly string[]) =>
    runInProcess(folder.path, ['export', 'kubernetes', '--out', 'k8s', ...more], { env });
  const textsIn = async () =>
    Promise.all(
      (await readdir(join(folder.path, 'k8s'), { recursive: true, withFileTypes: true }))
        .filter((entry) => entry.isFile())
        .map((entry) => readFile(join(entry.parentPath, entry.name), 'utf8')),
    );

  const written = await run();
  expect(written.exitCode).toBe(0);
  expect(written.stderr).toContain('below k8s, for the namespace shop\n');
  expect(written.stderr).toContain('left out: bind: ');
  expect(written.stderr).toMatch(
    /Secrets that you must create as README\.md says.*\n {2}prometheus-secrets: secrets\.env\.TOKEN/,
  );
  expect((await textsIn()).join()).not.toContain('planted-secret-1');

  const plain = await run('--plain', '--json');
  expect(plain.exitCode).toBe(0);
  const result = JSON.parse(plain.stdout);
  expect(result).toMatchObject({ command: 'export kubernetes', ok: true, namespace: 'shop' });
  expect(result.removedFiles).toContain('prometheus/scrapeconfig-a.yaml');
  expect(result.objects).toContainEqual({ kind: 'StatefulSet', name: 'prometheus' });

  await appendFile(join(folder.path, 'k8s', 'kustomization.yaml'), '# mine\n');
  const before = await textsIn();
  const refused = await run('--plain');
  expect(refused.exitCode).toBe(1);
  expect(refused.stderr).toContain('kustomization.yaml was changed since promstack wrote it');
  expect(await textsIn()).toEqual(before);
});

it('must refuse both forms at once', async () => {
  await using folder = await folderWith({ 'stack.yml': 'name: shop\n' });
  const args = ['export', 'kubernetes', '--out', 'k8s', '--operator', '--plain'];
  const { exitCode, stderr } = await runInProcess(folder.path, args, { env });
  expect(exitCode).toBe(2);
  expect(stderr).toContain("option '--operator' cannot be used with option '--plain'");
});
