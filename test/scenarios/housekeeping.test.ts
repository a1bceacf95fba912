import { tmpdir } from 'node:os';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { roleLabel, stackLabel } from '../../scripts/engine/labels.ts';
import { eventually } from '../support/eventually.ts';
import { importHistory, type PastSeries } from '../support/prometheus-history.ts';
import { expectFine } from '../support/revisions.ts';
import { binary, type StackFolder, spawnProgram, stackFolder, toRun } from '../support/stack-folder.ts';

const megabyte = 2 ** 20;
const hour = 3_600_000;

/** A day of a server of Go: the heap in use is between 60 and 100 MB, of 200 MB that are resident. */
function memoryOf(job: string, instance: string): readonly PastSeries[] {
  const now = Math.floor(Date.now() / 60_000) * 60_000;
  const timestamps = Array.from({ length: 60 * 24 }, (_, minute) => now - 25 * hour + minute * 60_000);
  const series = (name: string, sizeAt: (minute: number) => number, unit = megabyte): PastSeries => ({
    metric: { __name__: name, job, instance },
    timestamps,
    values: timestamps.map((_, minute) => sizeAt(minute) * unit),
  });
  return [
    series('process_start_time_seconds', () => (timestamps[0] ?? 0) / 1000, 1),
    series('process_resident_memory_bytes', () => 200),
    series('go_memstats_heap_inuse_bytes', (minute) => 60 + (minute % 4) * 10 + (minute > 700 ? 5 : 0)),
    // Beside the heap are 8 MB, less than the server itself has: its own samples, of seconds, do not lower that.
    series('go_memstats_sys_bytes', () => 202),
    series('go_memstats_heap_released_bytes', () => 10),
  ];
}

const keys = {
  pushgateway: { enabled: false },
  sink: { enabled: false },
  prometheus: { scrape_interval: '1s', retention: { time: '1d' }, resources: { memory: '256MB' } },
};

interface Advised {
  readonly servers: readonly { readonly service: string; readonly verdict: string; readonly proposedBytes?: number }[];
  readonly engineBytes: number;
}

describe.sequential('the housekeeping of a running stack', () => {
  let stack: StackFolder;
  const volume = () => `${stack.name}-alertmanager-data`;
  const run = async (...args: readonly string[]): Promise<string> => {
    const done = await stack.run(...args);
    expectFine(done);
    return done.stdout;
  };

  beforeAll(async () => {
    stack = await stackFolder(keys);
    // A small disk of its own, which a test can fill.
    const options = ['type=tmpfs', 'device=tmpfs', 'o=size=64m,uid=65534,gid=65534,mode=0755'];
    const labels = [`${stackLabel}=${stack.name}`, `${roleLabel}=data`];
    await execa('docker', [
      ...['volume', 'create', '--driver', 'local'],
      ...options.flatMap((option) => ['--opt', option]),
      ...labels.flatMap((label) => ['--label', label]),
      volume(),
    ]);
    await run('up');
  });
  afterAll(() => stack[Symbol.asyncDispose]());

  test('the doctor must look at the engine with a stack.yml, by a name and without both', async () => {
    const elsewhere = (...args: readonly string[]) => spawnProgram(binary, tmpdir(), args).then(toRun);
    const runs = await Promise.all([
      stack.run('doctor', '--json'),
      elsewhere('doctor', '--json', '-p', stack.name),
      // It looks from the newest container of any stack, which may be of another test that is just starting or removing it.
      elsewhere('doctor', '--json'),
    ]);
    for (const [at, { stdout }] of runs.entries()) {
      const { findings } = JSON.parse(stdout) as { findings: { check: string; verdict: string; text: string }[] };
      const looked = (check: string) => findings.find((finding) => finding.check === check);
      for (const check of ['clock', 'names', 'network', 'ports']) {
        const verdict = at < 2 ? 'fine' : expect.any(String);
        expect(looked(check), JSON.stringify(looked(check))).toMatchObject({ verdict });
      }
      const disk = at < 2 ? /^the engine's disk is \d+ % full, \d+\.\d GB are free$/ : /./;
      expect(looked('disk')?.text).toMatch(disk);
      expect(looked('engine')?.text).toMatch(/^Docker \d+\.\d+/);
    }
    const unknown = await elsewhere('doctor', '-p', 'no-such-stack');
    expect([unknown.exitCode, unknown.stderr]).toEqual([
      1,
      expect.stringContaining('no stack of that name is on the engine'),
    ]);
  });

  test('the status must show what Prometheus will take, and a volume that fills', async () => {
    const dataOf = async (service: string): Promise<{ text: string; problems: string[] }> => {
      const { stdout } = await stack.run('status', '--data', '--json');
      const { services, problems } = JSON.parse(stdout) as {
        services: { service: string; indicators: { label: string; text: string }[] }[];
        problems: { message: string }[];
      };
      const { indicators = [] } = services.find((each) => each.service === service) ?? {};
      const text = indicators.find(({ label }) => label === 'data')?.text ?? '';
      return { text, problems: problems.map(({ message }) => message) };
    };
    const small = await dataOf('alertmanager');
    expect(small.text).toMatch(/^\d+ kB, the disk is 0 % full$/);
    // It knows its rate from its second scrape on: some hundred series each second for a day are some hundred MB.
    await eventually(async () => {
      expect((await dataOf('prometheus')).text).toMatch(
        /, the disk is \d+ % full; at most [1-9]\d{2} MB by its retention$/,
      );
    });
    const inContainer = ['exec', `${stack.name}-alertmanager`, 'sh', '-c'];
    await execa('docker', [...inContainer, 'head -c 60000000 /dev/zero > /alertmanager/filled']);
    const { text, problems } = await dataOf('alertmanager');
    expect(text).toMatch(/^60 MB, the disk is (?:89|90) % full$/);
    expect(problems).toContain(`its data: ${text}`);
    await execa('docker', [...inContainer, 'rm /alertmanager/filled']);
  });

  test('advise must propose limits from what Prometheus has of each server, and keep those that fit', async () => {
    const early = JSON.parse(await run('advise', '--json')) as Advised;
    expect(early.servers.map(({ service, verdict }) => [service, verdict])).toEqual([
      ['prometheus', 'unknown'],
      ['alertmanager', 'unknown'],
    ]);
    expect(early.engineBytes).toBeGreaterThan(2 ** 28);
    await importHistory(stack, memoryOf('alertmanager', 'alertmanager:9093'));
    const text = await run('advise');
    // (65 MB in use × 2 + 8 MB beside the heap) / 0.9
    expect(text).toMatch(/^alertmanager +200 MB +65 MB +none +160 MB$/m);
    expect(text).toMatch(
      /^alertmanager +in 2[34] hours at most 65 MB were in use after garbage collection, beside 8\.0 MB/m,
    );
    expect(text.endsWith('\n\nalertmanager:\n  resources:\n    memory: 160MB\n')).toBe(true);
    await stack.configure({ ...keys, alertmanager: { resources: { memory: '160MB' } } });
    expect(await run('up')).toMatch(/alertmanager +recreated/);
    const { stdout } = await execa('docker', [
      'inspect',
      '--format',
      '{{.HostConfig.Memory}} {{.Config.Env}}',
      `${stack.name}-alertmanager`,
    ]);
    expect(stdout).toMatch(/^167772160 .*\bGOMEMLIMIT=150994944\b/);
    const after = JSON.parse(await run('advise', '--json')) as Advised;
    expect(after.servers).toContainEqual(expect.objectContaining({ service: 'alertmanager', verdict: 'keep' }));
  });

  test('the shipped alert must know the limit of each server, by the labels of its series', async () => {
    const ask = async <T>(path: string): Promise<T> => (await fetch(stack.url('prometheus', path))).json() as T;
    type Series = { data: { result: { metric: { job: string; instance: string } }[] } };
    type Rules = { data: { groups: { rules: { name: string; labels: { job: string; instance: string } }[] }[] } };
    const { data: rules } = await ask<Rules>('/api/v1/rules?rule_name[]=promstack_memory_limit_bytes');
    const limited = rules.groups.flatMap(({ rules }) => rules.map(({ labels }) => `${labels.job} ${labels.instance}`));
    const { data } = await ask<Series>('/api/v1/query?query=max_over_time(go_memstats_heap_inuse_bytes[1h])');
    const scraped = data.result.map(({ metric }) => `${metric.job} ${metric.instance}`);
    expect(limited).toHaveLength(2);
    expect(scraped).toEqual(expect.arrayContaining(limited));
  });
});
