import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { expect, it } from 'vitest';
import { stackSchema } from '../../../stack/config.ts';
import { longTermStore, queryElsewhere } from '../../../stack/long-term/store.ts';
import { Secret } from '../../../stack/secret.ts';

const storeOf = (section: object) => {
  const store = longTermStore(stackSchema.parse({ long_term: section }));
  if (store === undefined) throw new Error('the section has a store');
  return store;
};

it('must give promtool the login of the store in a file of memory that is gone afterwards', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'promtool-'));
  const before = await readdir('/dev/shm');
  try {
    // Prints its arguments, and the file that it is to read.
    const program =
      '#!/bin/sh\necho "$@"\nfor a in "$@"; do case $a in --http*) cat "$(echo $a | cut -d= -f2)";; esac; done\nexit 3\n';
    await writeFile(join(folder, 'promtool'), program, { mode: 0o755 });
    const remote = {
      write: 'http://store/write',
      read: 'http://store/select',
      basic_auth: { username: 'ann', password: new Secret("it's $secret", '!env P') },
      headers: { 'X-Scope-OrgID': new Secret('tenant', '!env T') },
    };
    const query = queryElsewhere(storeOf({ remote }), 'up{a="b c"}[5m]');
    if (query === undefined) throw new Error('the store can be queried');
    const [shell = '', ...args] = query.argv;
    expect(args.join(' ')).not.toContain('secret');
    const env = { PATH: `${folder}:${process.env['PATH']}` };
    const { stdout, exitCode } = await execa(shell, args, { input: query.stdin, env, reject: false });
    expect(exitCode).toBe(3);
    const [line, file = ''] = stdout.split('\n');
    expect(line).toMatch(
      /^query instant --format=json --http\.config\.file=\/dev\/shm\/\S+ http:\/\/store\/select\?nocache=1 up\{a="b c"\}\[5m\]$/,
    );
    expect(JSON.parse(file)).toEqual({
      basic_auth: { username: 'ann', password: "it's $secret" },
      http_headers: { 'X-Scope-OrgID': { secrets: ['tenant'] } },
    });
    expect(await readdir('/dev/shm')).toEqual(before);
  } finally {
    await rm(folder, { recursive: true });
  }
});

it('must not query a store without an address for queries', () => {
  expect(queryElsewhere(storeOf({ remote: { write: 'http://store/write' } }), 'up')).toBeUndefined();
});
