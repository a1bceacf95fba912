import { expect } from 'vitest';
import { connect } from '../../scripts/engine/connect.ts';
import { getJson, getText } from './servers.ts';
import type { Run, StackFolder } from './stack-folder.ts';

/** What the servers of a stack report to run. */
export interface Running {
  /** The revision rule that Prometheus evaluates. */
  readonly prometheus: string;
  /** The hash of its alertmanager.yml that Alertmanager exports. */
  readonly alertmanager: string;
  /** The jobs of the config Prometheus shows, which it does before it has taken all of it. */
  readonly jobs: readonly string[];
  /** The names of the alerts Prometheus has. */
  readonly alerts: readonly string[];
}

/** A receiver that amtool accepts and Alertmanager rejects: only the server opens the file. */
export const refusedReceiver = {
  alertmanager: {
    route: { receiver: 'hook' },
    receivers: [
      {
        name: 'hook',
        webhook_configs: [{ url: 'http://sink:8080/', http_config: { tls_config: { ca_file: '/nowhere/ca.pem' } } }],
      },
    ],
  },
};

/** Asks Prometheus and Alertmanager what they run. */
export async function running(stack: StackFolder): Promise<Running> {
  const rules = await getJson<{
    data: { groups: { rules: { name: string; type: string; labels: Record<string, string> }[] }[] };
  }>(stack.url('prometheus', '/api/v1/rules'));
  const all = rules.data.groups.flatMap((group) => group.rules);
  const config = await getJson<{ data: { yaml: string } }>(stack.url('prometheus', '/api/v1/status/config'));
  const metrics = await getText(stack.url('alertmanager', '/metrics'));
  return {
    prometheus: all.find(({ name }) => name === 'promstack_revision_info')?.labels['revision'] ?? 'none',
    alertmanager: /^alertmanager_config_hash (\S+)$/m.exec(metrics)?.[1] ?? 'none',
    jobs: [...config.data.yaml.matchAll(/job_name: (.*)/g)].map(([, name = '']) => name).sort(),
    alerts: all.filter(({ type, name }) => type === 'alerting' && name.startsWith('Test')).map(({ name }) => name),
  };
}

/** A revision as `history --json` prints it. */
interface Revision {
  readonly revision: string;
  readonly user: string;
  readonly command: string;
  readonly state: string;
  readonly refusedReason?: string;
  readonly changedFiles: readonly string[];
}

/** The stack's history, newest last. */
export async function historyOf(stack: StackFolder): Promise<readonly Revision[]> {
  const { stdout, stderr, exitCode } = await stack.run('history', '--json');
  expect(exitCode, stderr).toBe(0);
  return (JSON.parse(stdout) as { revisions: readonly Revision[] }).revisions;
}

/** A rule file with one alert. */
export function alertRule(
  name: string,
  more: { readonly expr?: string; readonly labels?: string; readonly holdFor?: string } = {},
): string {
  const { expr = 'vector(1)', labels = '{severity: page}', holdFor = '1h' } = more;
  return `groups:\n  - name: ${name}\n    rules:\n      - alert: ${name}\n        expr: ${expr}\n        for: ${holdFor}\n        labels: ${labels}\n`;
}

/** Expects that a run succeeded; otherwise shows its output. */
export function expectFine({ exitCode, stdout, stderr }: Run): void {
  expect(exitCode, `${stdout}\n${stderr}`).toBe(0);
}

/** Expects an empty plan and no drift. */
export async function expectSettled(stack: StackFolder): Promise<void> {
  const { exitCode, stdout, stderr } = await stack.run('plan', '--detailed-exitcode', '--json');
  expect(exitCode, `${stdout}\n${stderr}`).toBe(0);
  expect((JSON.parse(stdout) as { drift: unknown[] }).drift).toEqual([]);
}

/** Ids of the stack's containers by name. */
export async function containerIds(stack: StackFolder): Promise<Readonly<Record<string, string>>> {
  await using engine = await connect({ env: process.env });
  const all = await engine.listContainers({ 'dev.promstack.stack': stack.name });
  return Object.fromEntries(all.map(({ name, id }) => [name, id]));
}
