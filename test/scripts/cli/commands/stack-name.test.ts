import { expect, test } from 'vitest';
import { noEngine } from '../../../support/promstack.ts';
import { runInProcess } from '../../../support/test-process.ts';

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
