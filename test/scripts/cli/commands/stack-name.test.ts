import { expect, test } from 'vitest';
import { run } from '../../../../scripts/cli/run.ts';
import { noEngine } from '../../../support/promstack.ts';
import { TestWorld } from '../../../support/world.ts';

test.each([['history'], ['rollback'], ['down'], ['init', '--print']])(
  '%s must refuse a name that no stack can have',
  async (...argv) => {
    const world = new TestWorld({ argv: [...argv, '--name', 'Bad Name'], env: noEngine });
    expect(await run(world)).toBe(2);
    expect(world.stderr.text).toBe(
      '✖ --name Bad Name: a name of at most 41 lower-case letters, digits, - and _, the first a letter or digit, is expected here, not the text "Bad Name"\n',
    );
  },
);
