import { connect } from '../../scripts/engine/connect.ts';
import type { ArchiveEntry } from '../../scripts/engine/engine.ts';
import { GrafanaClient } from '../../scripts/servers/grafana/client.ts';
import { openConfigFiles } from '../../scripts/state/config-files.ts';
import { Secret } from '../../stack/secret.ts';
import { requester } from './grafana-context.ts';
import type { GrafanaStack } from './grafana-stack.ts';

/** A Grafana with files that promstack itself would refuse. */
export interface RawGrafana extends GrafanaStack {
  readonly client: GrafanaClient;
  /** Makes these the datasources of a file of their own, and loads it. */
  datasources(items: readonly object[], deleted?: readonly string[]): Promise<Reloaded>;
  /** Makes these the only files of a provider of their own, by path, and loads them. */
  dashboards(files: Readonly<Record<string, object>>): Promise<Reloaded>;
}

interface Reloaded {
  readonly status: number;
  readonly message: string;
  /** What was logged since, which may be a moment later. */
  logged(): Promise<string>;
}

/** Adds to a running stack's Grafana what the claims need; its datasources and dashboards of claims are in files of their own. */
export async function openRaw(stack: GrafanaStack): Promise<RawGrafana> {
  const secret = await stack.password();
  const client = new GrafanaClient(requester(stack.folder.url('grafana')), new Secret(secret, 'a test'));
  const put = async (entries: readonly (readonly [path: string, text: string])[], cleared: readonly string[] = []) => {
    await using engine = await connect({ env: process.env });
    const files = openConfigFiles(engine, stack.folder.name);
    const current = await files.readLink('grafana', 'current');
    const owner = { mode: 0o755, uid: 472, gid: 0 };
    const all = entries.flatMap(([path, text]): readonly ArchiveEntry[] => {
      const placed = `grafana/${path.replace(/^current/, String(current))}`;
      const folders = placed.split('/').slice(1, -1);
      return [
        ...folders.map((_, at): ArchiveEntry => {
          return { kind: 'directory', path: ['grafana', ...folders.slice(0, at + 1)].join('/'), ...owner };
        }),
        { kind: 'file', path: placed, content: Buffer.from(text), ...owner },
      ];
    });
    await files.write(all, cleared);
  };
  const reload = async (what: string): Promise<Reloaded> => {
    const before = (await stack.log()).length;
    const authorization = `Basic ${Buffer.from(`admin:${secret}`).toString('base64')}`;
    const url = stack.folder.url('grafana', `/api/admin/provisioning/${what}/reload`);
    const answer = await fetch(url, { method: 'POST', headers: { authorization } });
    const { message } = (await answer.json()) as { message: string };
    return { status: answer.status, message, logged: async () => (await stack.log()).slice(before).join('\n') };
  };
  return {
    ...stack,
    ask: (path) => stack.ask(path, secret),
    change: (method, path, body) => stack.change(method, path, body, `admin:${secret}`),
    client,
    datasources: async (datasources, deleted = []) => {
      const deleteDatasources = deleted.map((name) => ({ name, orgId: 1 }));
      const file = { apiVersion: 1, prune: true, deleteDatasources, datasources };
      await put([['current/provisioning/datasources/claim.yml', JSON.stringify(file)]]);
      return reload('datasources');
    },
    dashboards: async (boards) => {
      const options = { path: '/etc/promstack/claims', foldersFromFilesStructure: true };
      const provider = { name: 'claims', type: 'file', disableDeletion: true, updateIntervalSeconds: 3600, options };
      const entries = Object.entries(boards).map(([path, board]) => [`claims/${path}`, JSON.stringify(board)] as const);
      const file = JSON.stringify({ apiVersion: 1, providers: [provider] });
      await put(
        [['claims/none', ''], ...entries, ['current/provisioning/dashboards/claim.yml', file]],
        ['grafana/claims'],
      );
      return reload('dashboards');
    },
  };
}
