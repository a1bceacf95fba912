import { readFile } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { sumOf } from '../../stack/values/metrics-page.ts';
import { chromiumPath, launchChromium, openPage, timing } from '../support/browser.ts';
import { eventually } from '../support/eventually.ts';
import { isFull } from '../support/shares.ts';
import { type StackFolder, stackFolder } from '../support/stack-folder.ts';

// The page of `promstack ui` on real servers with very many parts: what it takes, and what it costs them.

const [groups, targets, rules] = [10_000, 2_000, 2_000];
const minutes = 5;

test('10,000 groups, 2,000 targets and 2,000 rules of real servers must stay usable', async ({ skip }) => {
  skip(!isFull, 'only `npm run test:full` runs it');
  skip(chromiumPath === undefined, 'there is no chromium on this host');
  await using stack = await stackFolder({
    // With the check, each push costs as much as all groups.
    pushgateway: { extra_args: ['--push.disable-consistency-check'] },
    prometheus: {
      rules: ['rules/*.yml'],
      scrape_configs: [
        { job_name: 'gone', static_configs: [{ targets: times(targets, (at) => `prometheus:${20_000 + at}`) }] },
      ],
    },
  });
  for (let file = 0; file < rules / 100; file += 1) await stack.write(`rules/${file}.yml`, ruleFile(file));
  const up = await stack.run('up');
  expect(up.exitCode, up.stderr).toBe(0);
  await pushGroups(stack.url('pushgateway'));
  const before = await costs(stack);

  await using ui = await startUi(stack);
  const browser = await launchChromium();
  try {
    const read = async () => {
      await using opened = await openPage(browser, ui.url, { initScript: timing });
      const { page } = opened;
      await page.locator('.stage').first().waitFor();
      const paintMs = await page.evaluate<number>(
        'performance.getEntriesByName("first-contentful-paint")[0].startTime',
      );
      const rowsMs = await eventually(async () => {
        const ms = await page.evaluate<number>('window.firstRows ?? 0');
        expect(ms).toBeGreaterThan(0);
        return ms;
      }, 60_000);
      return { paintMs, rowsMs };
    };
    const first = await read();
    await using opened = await openPage(browser, ui.url, { initScript: timing });
    const { page, complaints } = opened;
    for (const [of, count] of [
      ['groups', groups],
      ['targets', targets],
    ] as const) {
      await page
        .locator(`.panel.${of} h2`)
        .filter({ hasText: new RegExp(count.toLocaleString('en').slice(0, -3)) })
        .waitFor({ timeout: 60_000 });
    }
    const again = await read();
    const idle = await ui.usage();
    const atFirst = await costs(stack);
    const memory: number[] = [];
    for (let at = 0; at < 2 * minutes; at += 1) {
      await sleep(30_000);
      memory.push((await ui.usage()).megabytes);
    }
    const used = await ui.usage();
    const atEnd = await costs(stack);
    const updates = (await page.evaluate<readonly number[]>('window.updates')).toSorted((a, b) => a - b);
    const updateMs = updates[Math.floor(updates.length / 2)] ?? Number.NaN;
    const perCent = (from: number, to: number): string => `${((100 * (to - from)) / (60 * minutes)).toFixed(1)} %`;
    process.stdout.write(
      [
        `the page of a real stack with 14,000 parts: first paint ${ms(first.paintMs)} and its lists ${ms(first.rowsMs)} as the first`,
        `page, ${ms(again.paintMs)} and ${ms(again.rowsMs)} as a further one; update ${ms(updateMs)} of ${updates.length};`,
        `ui holds ${memory.map((mb) => Math.round(mb)).join(', ')} MB every half a minute, and takes`,
        `${perCent(idle.cpuSeconds, used.cpuSeconds)} of a core; Pushgateway takes ${perCent(atFirst.pushgateway, atEnd.pushgateway)},`,
        `Prometheus ${perCent(atFirst.prometheus, atEnd.prometheus)} (${before.prometheus.toFixed(1)} s before the page)\n`,
      ].join(' '),
    );
    // That of the lists depends on how busy the machine is; ui-page.test.ts holds the page to its own part of it.
    expect(Math.max(first.paintMs, again.paintMs)).toBeLessThan(1_000);
    expect(updateMs).toBeLessThan(500);
    // The lows: peaks are garbage that was not collected yet.
    const half = memory.length / 2;
    expect(Math.min(...memory.slice(half))).toBeLessThan(1.25 * Math.min(...memory.slice(0, half)));
    expect(complaints).toEqual([]);
  } finally {
    await browser.close();
  }
}, 900_000);

const times = <T>(count: number, make: (at: number) => T): readonly T[] =>
  Array.from({ length: count }, (_, at) => make(at));

const ms = (value: number): string => `${Math.round(value)} ms`;

function ruleFile(file: number): string {
  const all = times(
    100,
    (at) => `      - {alert: Rule${file}x${at}, expr: 'up{job="gone"} > ${at}', labels: {severity: info}}\n`,
  );
  return `groups:\n  - name: group-${file}\n    rules:\n${all.join('')}`;
}

async function pushGroups(gateway: string): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: 32 });
  const push = (at: number): Promise<void> =>
    new Promise((resolve, reject) => {
      const sent = request(
        `${gateway}/metrics/job/batch-${at % 40}/instance/host-${at}`,
        { method: 'PUT', agent },
        (response) => {
          response
            .resume()
            .on('end', () =>
              response.statusCode === 202 ? resolve() : reject(new Error(`status ${response.statusCode}`)),
            );
        },
      );
      sent.on('error', reject);
      sent.end(`rows ${at}\nseconds ${at / 7}\nlast_success_time ${1_700_000_000 + at}\n`);
    });
  await Promise.all(times(groups, push));
  agent.destroy();
}

/** The seconds of a processor that the servers have taken. */
async function costs(stack: StackFolder): Promise<Readonly<Record<'pushgateway' | 'prometheus', number>>> {
  const [pushgateway, prometheus] = await Promise.all(
    (['pushgateway', 'prometheus'] as const).map(async (service) => {
      const page = await (await fetch(stack.url(service, '/metrics'))).text();
      return sumOf(page, 'process_cpu_seconds_total');
    }),
  );
  return { pushgateway: pushgateway ?? Number.NaN, prometheus: prometheus ?? Number.NaN };
}

async function startUi(stack: StackFolder) {
  const running = stack.start(['ui', '--no-open']);
  if (running.stdout === null) throw new Error('ui has an output');
  const url = await new Promise<string>((resolve, reject) => {
    createInterface(running.stdout as NodeJS.ReadableStream).once('line', resolve);
    void running.then(({ stderr }) => reject(new Error(`ui ended: ${stderr}`)));
  });
  return {
    url,
    usage: async () => {
      const of = (file: string): Promise<string> => readFile(`/proc/${running.pid}/${file}`, 'utf8');
      const [, kilobytes = ''] = /VmRSS:\s+(\d+) kB/.exec(await of('status')) ?? [];
      const fields = (await of('stat')).split(') ')[1]?.split(' ') ?? [];
      // utime and stime, in hundredths of a second.
      return { megabytes: Number(kilobytes) / 1_000, cpuSeconds: (Number(fields[11]) + Number(fields[12])) / 100 };
    },
    [Symbol.asyncDispose]: async () => {
      running.kill('SIGINT');
      await running;
    },
  };
}
