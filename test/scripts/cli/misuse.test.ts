import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { emptyFolder, noEngine } from '../../support/promstack.ts';
import { runInProcess } from '../../support/test-process.ts';

test.each([
  [
    'password',
    ['password'],
    'grafana: { enabled: false }\n',
    '✖ this stack has no Grafana\n  enable grafana in stack.yml\n',
  ],
  [
    'alert test',
    ['alert', 'test', '-l', 'a=1', '-l', 'a=2'],
    '',
    '✖ the label a is given twice\n  --label name=value\n',
  ],
])('%s must refuse what makes no sense before an engine is asked', async (_, args, stack, said) => {
  await using folder = await emptyFolder();
  await writeFile(join(folder.path, 'stack.yml'), stack);
  const { exitCode, stderr } = await runInProcess(folder.path, args, { env: noEngine });
  expect({ exitCode, stderr }).toEqual({ exitCode: 2, stderr: said });
});

test.each([['history'], ['rollback'], ['down'], ['init', '--print']])(
  '%s must refuse a name that no stack can have',
  async (...argv) => {
    const { exitCode, stderr } = await runInProcess('/nowhere', [...argv, '--name', 'Bad Name'], { env: noEngine });
    expect(exitCode).toBe(2);
    expect(stderr).toBe(
      '✖ --name Bad Name: a name of at most 41 lower-case letters, digits, - and _, the first a letter or digit, is expected here, not the text "Bad Name"\n',
    );
  },
);
