import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { stringify } from 'yaml';
import { packageRoot } from '../../util/package-root.ts';
import { median, timed } from './measure.ts';

/** Times `render` as a process on stacks of so many scrape targets and so many rules, and how it grows. */
export async function benchRender(): Promise<string> {
  const small = await renderMs(1_000);
  const large = await renderMs(10_000);
  const growth = large / small;
  return [
    'render and schema check, as a process (median of 5)',
    `   1,000 targets and  1,000 rules  ${small.toFixed(0)} ms`,
    `  10,000 targets and 10,000 rules  ${large.toFixed(0)} ms (under 2000: ${large < 2000 ? 'holds' : 'DOES NOT HOLD'})`,
    `  growth: ${growth.toFixed(1)} times (at most 12: ${growth <= 12 ? 'holds' : 'DOES NOT HOLD'})`,
  ].join('\n');
}

async function renderMs(count: number): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'bench-render-'));
  try {
    await writeStack(folder, count);
    const out = join(folder, 'out');
    const taken: number[] = [];
    for (let round = 0; round <= 5; round++) {
      await rm(out, { recursive: true, force: true });
      const ms = await timed(() =>
        execa('node', [join(packageRoot(), 'dist/scripts/promstack.cjs'), 'render', '--out', out], { cwd: folder }),
      );
      if (round > 0) taken.push(ms);
    }
    return median(taken);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function writeStack(folder: string, count: number): Promise<void> {
  const targets = Array.from({ length: count }, (_, at) => `10.0.${at >> 8}.${at & 255}:9100`);
  const stack = {
    name: 'bench',
    prometheus: {
      scrape_configs: [{ job_name: 'node', static_configs: [{ targets }] }],
      rules: ['rules/*.yml'],
    },
  };
  await writeFile(join(folder, 'stack.yml'), stringify(stack));
  await mkdir(join(folder, 'rules'));
  for (let file = 0; file < count / 100; file++) {
    const rules = Array.from({ length: 100 }, (_, at) => ({
      alert: `Instance${file}x${at}Down`,
      expr: `up{job="node", instance="10.0.0.${at}:9100"} == 0`,
      for: '5m',
      labels: { severity: 'warning' },
      annotations: { summary: 'Instance {{ $labels.instance }} is down' },
    }));
    await writeFile(
      join(folder, 'rules', `rules-${file}.yml`),
      stringify({ groups: [{ name: `group-${file}`, rules }] }),
    );
  }
}
