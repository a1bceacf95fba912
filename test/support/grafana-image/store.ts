import { createHash } from 'node:crypto';
import { existsSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A datasource as it is stored. */
export interface StoredDatasource {
  readonly uid: string;
  readonly name: string;
  readonly type: string;
  readonly url: string;
  readonly access: string;
  readonly user: string;
  readonly database: string;
  readonly basicAuth: boolean;
  readonly basicAuthUser: string;
  readonly withCredentials: boolean;
  readonly isDefault: boolean;
  readonly orgId: number;
  readonly jsonData: Readonly<Record<string, unknown>>;
  readonly secrets: readonly string[];
  readonly secureJsonData?: Readonly<Record<string, string>>;
  readonly readOnly: boolean;
  readonly isPrunable: boolean;
}

/** A dashboard as it is stored; `path` and `provider` are of the file it was read from, while it is provisioned. */
export interface StoredDashboard {
  readonly id: number;
  readonly uid: string;
  readonly version: number;
  /** The uid of its folder; empty at the root. */
  readonly folder: string;
  readonly model: Readonly<Record<string, unknown>>;
  /** Of schema v2. */
  readonly apiVersion?: string;
  readonly provider?: string;
  readonly path?: string;
  readonly md5: string;
}

/** A folder as it is stored. */
export interface StoredFolder {
  readonly uid: string;
  readonly title: string;
  /** `user:…` or Grafana itself. */
  readonly createdBy: string;
  /** Whether a provider has put dashboards into it. */
  readonly isManaged: boolean;
}

/** A user as it is stored. */
export interface StoredUser {
  readonly id: number;
  readonly login: string;
  /** Hash of the password. */
  readonly password: string;
  /** Whether it is a server admin. */
  readonly isAdmin: boolean;
  readonly isDisabled: boolean;
  /** The organization last chosen in the browser; 1 when absent. */
  readonly orgId?: number | undefined;
}

/** The contents of Grafana's database. */
export interface Store {
  readonly users: readonly StoredUser[];
  /** The ids of the organizations. */
  readonly orgs: readonly number[];
  /** Hash of the key that secrets are encrypted with. */
  readonly secretKey: string;
  readonly failedLogins: readonly { readonly login: string; readonly at: number }[];
  readonly datasources: readonly StoredDatasource[];
  readonly dashboards: readonly StoredDashboard[];
  readonly folders: readonly StoredFolder[];
  /** Whether the server has migrated the secrets of datasources, which it does once. */
  readonly areSecretsMigrated: boolean;
}

export const hashOf = (text: string): string => createHash('sha256').update(text).digest('hex');

/** The database of one data folder, read from disk when it has changed: `grafana cli` writes it beside the server. */
export class Database {
  readonly #file: string;
  #cached: { readonly version: string; readonly store: Store } | undefined;

  constructor(dataFolder: string) {
    this.#file = join(dataFolder, 'grafana.db');
  }

  get isThere(): boolean {
    return existsSync(this.#file);
  }

  /** As at the first start. */
  create(password: string, secretKey: string): void {
    const admin = { id: 1, login: 'admin', password: hashOf(password), isAdmin: true, isDisabled: false };
    this.write({
      users: [admin],
      orgs: [1],
      secretKey,
      failedLogins: [],
      datasources: [],
      dashboards: [],
      folders: [],
      areSecretsMigrated: false,
    });
  }

  read(): Store {
    const { ino, mtimeMs } = statSync(this.#file);
    const version = `${ino} ${mtimeMs}`;
    if (this.#cached?.version !== version) {
      this.#cached = { version, store: JSON.parse(readFileSync(this.#file, 'utf8')) as Store };
    }
    return this.#cached.store;
  }

  write(store: Store): void {
    writeFileSync(`${this.#file}.new`, JSON.stringify(store));
    renameSync(`${this.#file}.new`, this.#file);
  }

  update(change: Partial<Store>): void {
    this.write({ ...this.read(), ...change });
  }
}
