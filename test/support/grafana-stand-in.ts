import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import type { IncomingMessage, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { linkEntries, releaseEntries, switchEntries } from '../../scripts/state/release-files.ts';
import { grafana } from '../../stack/grafana/service.ts';
import type { RenderedFile } from '../../stack/model.ts';
import { MemoryFiles } from './config-files.ts';
import type { Grafana, Reply } from './grafana-image/api.ts';
import { classicModel } from './grafana-image/dashboards.ts';
import { answer, openGrafana, provision, serverOf } from './grafana-image/serve.ts';
import {
  Database,
  hashOf,
  type StoredDashboard,
  type StoredDatasource,
  type StoredUser,
} from './grafana-image/store.ts';
import { resetPassword } from './grafana-image/users.ts';

/** How a stand-in misbehaves; each fault is one that Grafana 12.4 can show. */
export interface Faults {
  /** Provisioning at start takes so many requests after health is ok. */
  slowStart?: number;
  /** The next reloads of the kind are refused with this status and words; `log` is written to the log, as Grafana does. */
  refuse?: {
    readonly what: 'datasources' | 'dashboards';
    readonly status: 403 | 500;
    readonly message: string;
    readonly log?: string;
  };
  /** So many reloads leave the datasource of that uid as it was, though they answer 200. */
  leaveAsItWas?: { readonly uid: string; times: number };
  /** The server at that address does not answer. */
  deadServer?: { readonly url: string; readonly message: string };
  /** A dashboard whose file has no title when Grafana reads it. */
  untitledDashboard?: string;
  /** Keys of a dashboard that this Grafana does not know are lost. */
  dropsUnknownKeys?: boolean;
  /** It is older than 12, and has no index of dashboards. */
  withoutIndex?: boolean;
  /** The plugin for Prometheus is not part of the image. */
  withoutPlugin?: boolean;
}

const mounted = '/etc/promstack';

/**
 * The stand-in of the image (grafana-image/) inside a test, on a loopback port and a folder of its own, with faults. At the end of every
 * test `unexpected`, the requests that it does not know, must be empty.
 */
export class GrafanaStandIn implements AsyncDisposable {
  readonly faults: Faults = {};
  readonly log: string[] = [];
  readonly requests: string[] = [];
  readonly #folder = mkdtempSync(join(tmpdir(), 'grafana-stand-in-'));
  readonly #database = new Database(this.#folder);
  readonly #volume = new MemoryFiles();
  readonly #grafana: Grafana;
  readonly #server: Server;
  #releases = 0;

  private constructor(password: string, settings: Readonly<Record<string, string>> = {}) {
    this.#database.create(password, '');
    this.#grafana = openGrafana({
      database: this.#database,
      settings: { 'paths.provisioning': join(this.#folder, 'current/provisioning'), ...settings },
      log: (line) => void this.log.push(line.replaceAll(this.#folder, mounted)),
      fetch: async (url) => {
        const { deadServer } = this.faults;
        if (deadServer !== undefined && url.startsWith(deadServer.url)) throw new Error(deadServer.message);
        return Response.json({});
      },
    });
    this.#server = serverOf((request) => this.#answer(request));
  }

  /** Starts one; unless slow, it has loaded the files when it responds, like Grafana after its start. */
  static async start(options: {
    password: string;
    files: readonly RenderedFile[];
    faults?: Faults;
    settings?: Readonly<Record<string, string>>;
  }): Promise<GrafanaStandIn> {
    const standIn = new GrafanaStandIn(options.password, options.settings);
    Object.assign(standIn.faults, options.faults);
    await standIn.put(options.files);
    if (standIn.faults.slowStart === undefined) provision(standIn.#grafana);
    await new Promise<void>((resolve) => standIn.#server.listen(0, '127.0.0.1', resolve));
    return standIn;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  get unexpected(): readonly string[] {
    return this.log.filter((line) => line.startsWith('the stand-in does not know'));
  }

  /** Makes these files its release, as `up` does; it reads them at the next reload. */
  async put(files: readonly RenderedFile[]): Promise<void> {
    this.#releases += 1;
    const folder = `${this.#releases}/release`;
    const source = { service: grafana, spec: { user: '472:0' }, release: { files } };
    const links = await linkEntries(source, this.#volume);
    const release = releaseEntries(source, folder);
    await this.#volume.write([...release, ...switchEntries([{ service: 'grafana', folder }]), ...links]);
    for (const top of ['releases', 'current', 'dashboards']) {
      rmSync(join(this.#folder, top), { recursive: true, force: true });
      for (const entry of (await this.#volume.read('grafana', top)) ?? []) {
        const path = join(this.#folder, entry.path);
        if (entry.kind === 'directory') mkdirSync(path, { recursive: true });
        else if (entry.kind === 'link') symlinkSync(entry.to, path);
        else writeFileSync(path, this.#asRead(entry.path, entry.content.toString()));
      }
    }
  }

  #asRead(path: string, text: string): string {
    const { dropsUnknownKeys = false, untitledDashboard } = this.faults;
    if (!path.includes('/dashboards/') || !path.endsWith('.json')) return text.replaceAll(mounted, this.#folder);
    const { promstack, title, ...rest } = JSON.parse(text) as Record<string, unknown>;
    const isUntitled = untitledDashboard !== undefined && rest['uid'] === untitledDashboard;
    if (!dropsUnknownKeys && !isUntitled) return text;
    return JSON.stringify({ ...rest, ...(dropsUnknownKeys ? {} : { promstack }), ...(isUntitled ? {} : { title }) });
  }

  /** Runs its `grafana cli`. */
  cli(argv: readonly string[], stdin: string): ReturnType<typeof resetPassword> {
    return resetPassword(this.#database, argv, stdin);
  }

  /** Its users, to change them like a server admin in the browser. */
  get users(): readonly StoredUser[] {
    return this.#database.read().users;
  }

  set users(users: readonly StoredUser[]) {
    this.#database.update({ users });
  }

  get failedLogins(): number {
    return this.#database.read().failedLogins.length;
  }

  /** Loads its files, as a new container does; throws when it would exit. */
  restart(): void {
    provision(this.#grafana);
  }

  hasPassword(password: string): boolean {
    return this.users.some((user) => user.id === 1 && user.password === hashOf(password));
  }

  /** Changes a datasource like a user in the browser or by the API. */
  changeDatasource(uid: string, change: Partial<StoredDatasource>): void {
    const { datasources } = this.#database.read();
    if (!datasources.some((stored) => stored.uid === uid)) throw new Error(`the stand-in has no datasource ${uid}`);
    this.#database.update({
      datasources: datasources.map((stored) => (stored.uid === uid ? { ...stored, ...change } : stored)),
    });
  }

  /** Adds a dashboard like a user in the browser. */
  addDashboard(model: StoredDashboard['model'] & { readonly uid: string }, folderTitle = ''): void {
    const { dashboards, folders } = this.#database.read();
    const folder = folders.find(({ title }) => title === folderTitle)?.uid ?? '';
    const added = { id: 1_000 + dashboards.length, uid: model.uid, version: 1, folder, model, md5: '' };
    this.#database.update({ dashboards: [...dashboards, added] });
  }

  /** Adds a folder like a user in the browser. */
  addFolder(title: string): void {
    const { folders } = this.#database.read();
    const added = { uid: `by-hand-${title}`, title, createdBy: 'user:admin', isManaged: false };
    this.#database.update({ folders: [...folders, added] });
  }

  /** The titles of its folders, sorted. */
  get folderTitles(): readonly string[] {
    return this.#database
      .read()
      .folders.map(({ title }) => title)
      .sort();
  }

  /** The uids of its dashboards. */
  get dashboardUids(): readonly string[] {
    return this.#database
      .read()
      .dashboards.map(({ uid }) => uid)
      .sort();
  }

  /** A dashboard, as the API of classic models answers. */
  stored(uid: string): StoredDashboard['model'] {
    const stored = this.#database.read().dashboards.find((dashboard) => dashboard.uid === uid);
    if (stored === undefined) throw new Error(`the stand-in has no dashboard ${uid}`);
    return classicModel(stored);
  }

  /** The version of each dashboard by uid. */
  versions(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#database.read().dashboards.map(({ uid, version }) => [uid, version]));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
    rmSync(this.#folder, { recursive: true });
  }

  async #answer(request: IncomingMessage): Promise<Reply> {
    const { faults } = this;
    const asked = `${request.method} ${request.url}`;
    this.requests.push(asked);
    if (faults.slowStart !== undefined && faults.slowStart-- <= 0) {
      delete faults.slowStart;
      provision(this.#grafana);
    }
    if (faults.refuse !== undefined && asked.endsWith(`/${faults.refuse.what}/reload`)) {
      const { log, status, message } = faults.refuse;
      if (log !== undefined) this.log.push(log);
      return { status, body: { message } };
    }
    if (faults.withoutPlugin && asked.startsWith('GET /api/plugins/')) {
      return { status: 404, body: { message: 'Plugin not found, no installed plugin with that id' } };
    }
    if (faults.withoutIndex && asked.startsWith('GET /apis/')) return { status: 404, body: { message: 'Not found' } };
    const { leaveAsItWas } = faults;
    const before = this.#database.read().datasources.find(({ uid }) => uid === leaveAsItWas?.uid);
    const reply = await answer(request, this.#grafana);
    if (leaveAsItWas !== undefined && before !== undefined && asked.endsWith('/datasources/reload')) {
      if (leaveAsItWas.times-- > 0) this.changeDatasource(leaveAsItWas.uid, before);
    }
    return reply;
  }
}
