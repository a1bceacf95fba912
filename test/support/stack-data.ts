import { expect } from 'vitest';
import { eventually } from './eventually.ts';
import { expectFine } from './revisions.ts';
import { getJson } from './servers.ts';
import type { StackFolder } from './stack-folder.ts';

/** Data of a running stack that a command must keep. */
export interface StackData {
  /** Waits until the stack has all of it again; what was lost never comes back. */
  expectAll(): Promise<void>;
}

/** Makes a sample, a silence and a group in a running stack that scrapes every second. */
export async function makeData(folder: StackFolder): Promise<StackData> {
  const run = async (...args: readonly string[]): Promise<string> => {
    const done = await folder.run(...args);
    expectFine(done);
    return done.stdout;
  };
  const firstSample = async (): Promise<number> => {
    const query = encodeURIComponent('min_over_time(timestamp(rows)[1h:1s])');
    const url = folder.url('prometheus', `/api/v1/query?query=${query}`);
    const { data } = await getJson<{ data: { result: { value: [number, string] }[] } }>(url);
    return Number(data.result[0]?.value[1] ?? Number.NaN);
  };
  await run('push', '--job', 'nightly', '--var', 'rows=42');
  await run('silence', 'add', 'alertname=Disk', '--duration', '2h', '--comment', 'maintenance');
  let first = Number.NaN;
  await eventually(async () => {
    first = await firstSample();
    expect(first).toBeGreaterThan(1e9);
  });
  return {
    expectAll: async () => {
      await eventually(async () => expect(await firstSample()).toBe(first));
      expect(await run('silence', 'list')).toContain('maintenance');
      expect(await run('groups')).toContain('nightly');
    },
  };
}
