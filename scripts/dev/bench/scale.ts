import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { cpus, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { $ } from 'zx';
import { names } from '../../state/names.ts';
import { mapLimit } from '../../util/map-limit.ts';
import { packageRoot } from '../../util/package-root.ts';
import { freePort } from '../../util/ports.ts';
import { untilAnswers } from './bare.ts';
import { budget, timed } from './measure.ts';

const stackName = 'bench-scale';

/** One row a size: its number of things, and what was measured. */
interface Curve {
  readonly title: string;
  readonly about: string;
  readonly rows: readonly Readonly<Record<string, string>>[];
}

/** A stack of one size, and what may be measured of it. */
interface Bench {
  readonly folder: string;
  readonly ports: Readonly<Record<'pushgateway' | 'prometheus' | 'alertmanager' | 'grafana', number>>;
  /** Runs the command; the time in ms, and its peak memory in MB. */
  run(...args: readonly string[]): Promise<{ readonly ms: number; readonly mb: number }>;
}

/**
 * How far one machine carries: `npm run bench -- scale`; with `--write` the curves of docs/scale.md are replaced.
 * It takes a quarter of an hour.
 */
export async function benchScale(options: { readonly grafana: string | undefined; readonly write: boolean }) {
  const curves: Curve[] = [];
  const measure = async (
    title: string,
    about: string,
    sizes: readonly number[],
    row: (size: number) => Promise<Record<string, string>>,
  ): Promise<void> => {
    const rows: Record<string, string>[] = [];
    console.log(title);
    for (const size of sizes) {
      const measured = { '': size.toLocaleString('en'), ...(await row(size)) };
      console.log(
        `  ${Object.entries(measured)
          .map(([name, value]) => `${name} ${value}`.trim())
          .join(' · ')}`,
      );
      rows.push(measured);
    }
    curves.push({ title, about, rows });
  };

  await measure('Rules', 'Alert rules in files of 100, none of them firing.', [1_000, 10_000, 100_000], ruleRow);
  await measure(
    'Targets',
    'Static targets of one job, scraped once a minute; all refuse the connection.',
    [1_000, 10_000, 50_000],
    targetRow,
  );
  await measure('Groups', 'Groups of three metrics in the Pushgateway.', [1_000, 10_000, 100_000], groupRow);
  const { grafana } = options;
  if (grafana === undefined) console.log('Dashboards: NOT RUN, no image of Grafana is present');
  else
    await measure('Dashboards', 'Dashboards of twelve panels.', [10, 100, 1_000], (size) =>
      dashboardRow(size, grafana),
    );
  if (options.write) await writeCurves(curves);
}

async function ruleRow(count: number): Promise<Record<string, string>> {
  return withStack({ prometheus: { rules: ['rules/*.yml'] } }, async ({ folder, ports, run }) => {
    await mkdir(join(folder, 'rules'));
    const write = (file: number, severity: string) =>
      writeFile(join(folder, 'rules', `${file}.yml`), ruleFile(file, severity));
    await mapLimit(
      Array.from({ length: count / 100 }, (_, file) => file),
      50,
      (file) => write(file, 'page'),
    );

    const render = await run('render', '--out', join(folder, 'rendered'));
    const check = await run('check');
    const up = await run('up');
    const starts = await timed(() => restartPrometheus(ports.prometheus));
    const plan = await run('plan');
    await write(0, 'ticket');
    const reload = await run('reload');
    const bare = await timed(() => fetchOk(`http://127.0.0.1:${ports.prometheus}/-/reload`, { method: 'POST' }));
    const checks = await timed(() => promtool());
    if (count === 100_000) budget('up of 100,000 rules from nothing: render, check and load', up.ms, 20_000, ' ms');
    return {
      render: seconds(render.ms),
      'check, of which promtool': `${seconds(check.ms)}, ${seconds(checks)}`,
      'up from nothing, of which Prometheus starts': `${seconds(up.ms)}, ${seconds(starts)}`,
      'nothing to do': seconds(plan.ms),
      'reload of one edit, of which promtool and Prometheus': `${seconds(reload.ms)}, ${seconds(checks + bare)}`,
      'memory of promstack': megabytes(Math.max(render.mb, check.mb, up.mb, plan.mb, reload.mb)),
      'memory of Prometheus': await residentMemory(ports.prometheus),
    };
  });
}

async function targetRow(count: number): Promise<Record<string, string>> {
  const targets = Array.from({ length: count }, (_, at) => `prometheus:${10_000 + at}`);
  const prometheus = {
    scrape_configs: [{ job_name: 'node', scrape_interval: '1m', static_configs: [{ targets }] }],
  };
  return withStack({ prometheus }, async ({ folder, ports, run }) => {
    const render = await run('render', '--out', join(folder, 'rendered'));
    const check = await run('check');
    const up = await run('up');
    const plan = await run('plan');
    const file = join(folder, 'stack.yml');
    await writeFile(file, (await readFile(file, 'utf8')).replace('job_name: node', 'job_name: nodes'));
    const reload = await run('reload');
    return {
      render: seconds(render.ms),
      check: seconds(check.ms),
      'up from nothing': seconds(up.ms),
      'nothing to do': seconds(plan.ms),
      'reload of one edit': seconds(reload.ms),
      'memory of promstack': megabytes(Math.max(render.mb, check.mb, up.mb, plan.mb, reload.mb)),
      'memory of Prometheus': await residentMemory(ports.prometheus),
    };
  });
}

async function groupRow(count: number): Promise<Record<string, string>> {
  const pushgateway = { extra_args: ['--push.disable-consistency-check'] };
  return withStack({ pushgateway }, async ({ folder, ports, run }) => {
    await run('up');
    const base = `http://127.0.0.1:${ports.pushgateway}`;
    const body = 'rows_total 1\nduration_seconds 2.5\nlast_success_timestamp_seconds 1.7e9\n';
    const push = (at: number) => fetchOk(`${base}/metrics/job/batch/instance/${at}`, { method: 'PUT', body });
    const all = Array.from({ length: count }, (_, at) => at);
    const filling = await timed(() => mapLimit(all, 32, push));
    const metrics = await timed(() => fetchOk(`${base}/metrics`));
    const groups = await run('groups');
    const gc = await run('gc', '--older-than', '1h', '--dry-run');
    const status = await run('status');
    const plan = await run('plan');
    const file = join(folder, 'stack.yml');
    const text = await readFile(file, 'utf8');
    await writeFile(file, text.replace(/ {2}extra_args:\n.*\n/, ''));
    const recreated = await run('up');
    const one = await timed(() => mapLimit(all.slice(0, 20), 1, push));
    return {
      'a push, without its consistency check': milliseconds(filling / count),
      'a push, with it': milliseconds(one / 20),
      'a scrape of all': seconds(metrics),
      groups: seconds(groups.ms),
      'gc --dry-run': seconds(gc.ms),
      status: seconds(status.ms),
      'nothing to do': seconds(plan.ms),
      'up that recreates the Pushgateway': seconds(recreated.ms),
      'memory of promstack': megabytes(Math.max(groups.mb, gc.mb, status.mb, plan.mb, recreated.mb)),
      'memory of the Pushgateway': await residentMemory(ports.pushgateway),
      'memory of Prometheus': await residentMemory(ports.prometheus),
    };
  });
}

async function dashboardRow(count: number, image: string): Promise<Record<string, string>> {
  return withStack({ grafana: { image, dashboards: ['dashboards'] } }, async ({ folder, run }) => {
    await mkdir(join(folder, 'dashboards'));
    const write = (at: number, title: string) =>
      writeFile(join(folder, 'dashboards', `${at}.json`), dashboardFile(at, title));
    await mapLimit(
      Array.from({ length: count }, (_, at) => at),
      50,
      (at) => write(at, `Dashboard ${at}`),
    );
    const render = await run('render', '--out', join(folder, 'rendered'));
    const check = await run('check');
    const up = await run('up');
    const plan = await run('plan');
    const status = await run('status');
    await write(0, 'Renamed');
    const reload = await run('reload');
    return {
      render: seconds(render.ms),
      check: seconds(check.ms),
      'up from nothing': seconds(up.ms),
      'nothing to do': seconds(plan.ms),
      status: seconds(status.ms),
      'reload of one edit': seconds(reload.ms),
      'memory of promstack': megabytes(Math.max(render.mb, check.mb, up.mb, plan.mb, reload.mb)),
      'memory of Grafana': await containerMemory('grafana'),
    };
  });
}

/** Gives a folder with a stack.yml of the default servers and these keys; takes the stack down afterwards. */
async function withStack<T>(keys: object, use: (bench: Bench) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'bench-scale-'));
  const free = async () => freePort('127.0.0.1');
  const ports = {
    pushgateway: await free(),
    prometheus: await free(),
    alertmanager: await free(),
    grafana: await free(),
  };
  const given = keys as Record<string, object>;
  const stack = {
    name: stackName,
    images: { source: 'auto' },
    ...Object.fromEntries(Object.entries(ports).map(([name, port]) => [name, { ...given[name], port }])),
    ...(given['grafana'] === undefined ? { grafana: { enabled: false } } : {}),
  };
  const run: Bench['run'] = async (...args) => {
    const program = join(packageRoot(), 'dist/scripts/promstack.cjs');
    // What has passed in an earlier bench, or in check, is not skipped in up.
    const env = { ...process.env, XDG_CACHE_HOME: join(folder, args[0] === 'check' ? 'cache-of-check' : 'cache') };
    let mb = 0;
    const ms = await timed(async () => {
      const { stderr } = await $({ cwd: folder, env, quiet: true })`/usr/bin/time -f %M node ${program} ${args}`;
      mb = Number(stderr.trim().split('\n').at(-1)) / 1024;
    });
    return { ms, mb };
  };
  try {
    await writeFile(join(folder, 'stack.yml'), stringify(stack));
    return await use({ folder, ports, run });
  } finally {
    await run('down', '--volumes', '--yes');
    await rm(folder, { recursive: true, force: true });
  }
}

const container = (service: string): string => names.container(stackName, service);

async function restartPrometheus(port: number): Promise<void> {
  await $`docker restart --time 60 ${container('prometheus')}`.quiet();
  await untilAnswers(`http://127.0.0.1:${port}/-/ready`);
}

async function promtool(): Promise<void> {
  await $`docker exec ${container('prometheus')} promtool check config /etc/promstack/current/prometheus.yml`.quiet();
}

async function containerMemory(service: string): Promise<string> {
  const { stdout } = await $`docker stats --no-stream --format ${'{{.MemUsage}}'} ${container(service)}`.quiet();
  return stdout.split('/')[0]?.trim() ?? '';
}

/** The resident memory that a server on this port reports. */
async function residentMemory(port: number): Promise<string> {
  const text = await fetchOk(`http://127.0.0.1:${port}/metrics`);
  const [, bytes] = /^process_resident_memory_bytes (\S+)$/m.exec(text) ?? [];
  return megabytes(Number(bytes) / 2 ** 20);
}

async function fetchOk(url: string, options: RequestInit = {}): Promise<string> {
  const response = await fetch(url, options);
  if (!response.ok) throw new Error(`${url}: ${response.status} ${await response.text()}`);
  return response.text();
}

function ruleFile(file: number, severity: string): string {
  const rules = Array.from(
    { length: 100 },
    (_, at) => `      - alert: Instance${file}x${at}Down
        expr: up{job="node", instance="10.0.0.${at}:9100"} == 0
        for: 5m
        labels: {severity: ${severity}}
        annotations: {summary: "Instance {{ $labels.instance }} is down"}
`,
  );
  return `groups:\n  - name: group-${file}\n    rules:\n${rules.join('')}`;
}

function dashboardFile(at: number, title: string): string {
  const panels = Array.from({ length: 12 }, (_, panel) => ({
    id: panel + 1,
    type: 'timeseries',
    title: `Panel ${panel}`,
    gridPos: { x: (panel % 3) * 8, y: Math.floor(panel / 3) * 8, w: 8, h: 8 },
    datasource: { type: 'prometheus', uid: 'prometheus' },
    targets: [{ refId: 'A', expr: `rate(requests_total{service="s${at}", panel="${panel}"}[5m])` }],
  }));
  return JSON.stringify({ uid: `scale-${at}`, title, schemaVersion: 42, panels });
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(ms < 9_950 ? 1 : 0)} s`;
}

function milliseconds(ms: number): string {
  return `${ms.toFixed(ms < 10 ? 1 : 0)} ms`;
}

function megabytes(mb: number): string {
  return mb < 1024 ? `${mb.toFixed(0)} MB` : `${(mb / 1024).toFixed(1)} GB`;
}

/** Replaces what is below the heading `Measured` of docs/scale.md, up to the next one of its level. */
async function writeCurves(curves: readonly Curve[]): Promise<void> {
  const path = join(packageRoot(), 'docs', 'scale.md');
  const [{ model } = { model: 'unknown' }, ...others] = cpus();
  const facts =
    `Written by \`npm run bench -- scale --write\` on ${others.length + 1} × ${model.trim()}, ` +
    `${(totalmem() / 2 ** 30).toFixed(0)} GiB, Node ${process.version}, ${new Date().toISOString().slice(0, 10)}; one run of each.`;
  const tables = curves.flatMap(({ title, about, rows }) => {
    const columns = Object.keys(rows[0] ?? {}).slice(1);
    const sizes = rows.map((row) => row['']);
    return [
      `### ${title}\n\n${about}\n`,
      `| | ${sizes.join(' | ')} |`,
      `| --- |${sizes.map(() => ' ---: |').join('')}`,
      ...columns.map((column) => `| ${column} | ${rows.map((row) => row[column] ?? '').join(' | ')} |`),
      '',
    ];
  });
  const measured = `## Measured\n\n${facts}\n\n${tables.join('\n')}\n`;
  const page = await readFile(path, 'utf8');
  await writeFile(
    path,
    page.replace(/^## Measured\n[\s\S]*?(?=^## )/m, () => measured),
  );
}
