import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { cpus, platform, release, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { stringify } from 'yaml';
import { $, argv } from 'zx';
import { defaultImages } from '../../stack/values/default-images.ts';
import { connect } from '../engine/connect.ts';
import { packageRoot } from '../util/package-root.ts';
import { benchExporters } from './bench/exporters.ts';
import { alternate, budget, median, page, printTable, promstack, ratio, rounds, timed } from './bench/measure.ts';
import { benchScale } from './bench/scale.ts';
import { benchGrafana, benchUp } from './bench/up.ts';
import { benchWatch } from './bench/watch.ts';

/**
 * Measures promstack next to the tools it is based on: `npm run bench [-- up grafana start render watch exporters]`; ROUNDS=7 runs of each.
 * `--write` writes docs/benchmarks.md; PROMSTACK_GRAFANA_IMAGE names an image of Grafana that is present.
 * `npm run bench -- scale` measures growing stacks instead.
 */
const benches: Readonly<Record<string, () => Promise<void>>> = {
  up: benchUp,
  grafana: benchWithGrafana,
  start: benchStart,
  render: benchRender,
  watch: benchWatch,
  exporters: benchExporters,
};

if (argv._[0] === 'scale') await benchScale({ grafana: await presentGrafana(), write: argv['write'] === true });
else await benchAll();

async function benchAll(): Promise<void> {
  for (const name of argv._.length > 0 ? argv._ : Object.keys(benches)) {
    const bench = benches[name];
    if (bench === undefined)
      throw new Error(`there is no bench "${name}": choose from ${Object.keys(benches).join(', ')}`);
    await bench();
  }

  if (argv['write'] === true) await writePage();
}

/** docs/benchmarks.md: what was measured, where and when. */
async function writePage(): Promise<void> {
  await using engine = await connect({ env: process.env });
  const { stdout: commit } = await $({ cwd: packageRoot() })`git rev-parse --short=12 HEAD`;
  const [{ model } = { model: 'unknown' }, ...others] = cpus();
  const { version } = await engine.info();
  const facts = [
    `- machine: ${others.length + 1} × ${model.trim()}, ${(totalmem() / 2 ** 30).toFixed(0)} GiB, ${platform()} ${release()}`,
    `- engine: ${engine.kind} ${version}; Node ${process.version}`,
    `- date: ${new Date().toISOString().slice(0, 10)}; commit: ${commit}`,
  ];
  const introduction = 'Written by `npm run bench -- --write`. The contenders run in turn; ratios of medians decide.';
  const text = ['# Benchmarks', '', introduction, '', ...facts, ...page].join('\n');
  await writeFile(join(packageRoot(), 'docs', 'benchmarks.md'), `${text.trimEnd()}\n`);
}

async function benchWithGrafana(): Promise<void> {
  const image = await presentGrafana();
  if (image !== undefined) await benchGrafana(image);
}

/** The image of Grafana to measure with; undefined, and says so, when it is not present. */
async function presentGrafana(): Promise<string | undefined> {
  const image = process.env['PROMSTACK_GRAFANA_IMAGE'] ?? defaultImages.grafana;
  await using engine = await connect({ env: process.env });
  if ((await engine.findImage(image)) !== undefined) return image;
  console.log(`Grafana: NOT RUN, ${image} is not present; PROMSTACK_GRAFANA_IMAGE names another one`);
  return undefined;
}

/** The start of the program, next to a program that does nothing. */
async function benchStart(): Promise<void> {
  const cwd = packageRoot();
  const series = await alternate(
    [
      { name: 'promstack --version', run: () => promstack(['--version'], { cwd }) },
      { name: 'node -e 0', run: () => execa('node', ['-e', '0'], { cwd }) },
    ],
    rounds * 3,
  );
  printTable('start-up', series);
  ratio(series, 'promstack --version', 'node -e 0', 1.5);
}

/** `render` as a process, with 1,000 and 10,000 scrape targets and rules: its time and growth. */
async function benchRender(): Promise<void> {
  const small = await renderMs(1_000);
  const large = await renderMs(10_000);
  console.log(`render (median of 5)\n  1,000 targets and 1,000 rules: ${small.toFixed(0)} ms`);
  budget('10,000 targets and 10,000 rules', large, 2000, ' ms');
  budget('growth', large / small, 12);
}

async function renderMs(count: number): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'bench-render-'));
  try {
    await writeStack(folder, count);
    const out = join(folder, 'out');
    const taken: number[] = [];
    for (let round = 0; round <= 5; round++) {
      await rm(out, { recursive: true, force: true });
      const ms = await timed(() => promstack(['render', '--out', out], { cwd: folder }));
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
