import { expect } from 'vitest';
import { connect } from '../../scripts/engine/connect.ts';
import { stackLabel } from '../../scripts/engine/labels.ts';
import { type StackFolder, stackFolder } from './stack-folder.ts';

/** A user of Grafana, as `user:password`. */
type Login = `${string}:${string}`;

/** A response of Grafana. */
interface Answered<T> {
  readonly status: number;
  readonly body: T;
}

/** A stack with a Grafana of an image, and requests to both. */
export interface GrafanaStack extends AsyncDisposable {
  readonly folder: StackFolder;
  /** Writes stack.yml with these keys below `grafana`, and others. */
  configure(grafana: Readonly<Record<string, unknown>>, others?: Readonly<Record<string, unknown>>): Promise<void>;
  /** Runs the program, which must succeed; returns its output. */
  fine(...args: readonly string[]): Promise<string>;
  password(): Promise<string>;
  /** Requests as the admin, with the given or the current password. */
  ask<T>(path: string, secret?: string): Promise<Answered<T>>;
  statusOf(path: string, secret?: string): Promise<number>;
  /** Requests without authentication. */
  statusForAll(path: string): Promise<number>;
  /** Makes a change like a user in the browser. */
  change(method: 'POST' | 'PUT' | 'DELETE', path: string, body?: object, as?: Login): Promise<void>;
  /** Requests as any user, or as the admin. */
  request(path: string, as?: Login): Promise<Response>;
  statusAs(as: Login, path: string): Promise<number>;
  /** Ids of the stack's containers, sorted. */
  containers(): Promise<readonly string[]>;
  /** Lines of Grafana's log. */
  log(): Promise<readonly string[]>;
}

/** Creates a stack with a Grafana of the image, without starting it. */
export async function grafanaStack(image: string): Promise<GrafanaStack> {
  const basis = { enabled: true, image };
  const folder = await stackFolder({ grafana: basis });
  const engine = await connect({ env: process.env });
  const fine = async (...args: readonly string[]): Promise<string> => {
    const { exitCode, stdout, stderr } = await folder.run(...args);
    expect(exitCode, `${args.join(' ')}\n${stdout}\n${stderr}`).toBe(0);
    return stdout;
  };
  const password = async (): Promise<string> => (await fine('password')).trim();
  const header = (as: Login) => ({ authorization: `Basic ${Buffer.from(as).toString('base64')}` });
  const login = async (secret?: string) => header(`admin:${secret ?? (await password())}`);
  const ask = async <T>(path: string, secret?: string): Promise<Answered<T>> => {
    const answer = await fetch(folder.url('grafana', path), { headers: await login(secret) });
    return { status: answer.status, body: (await answer.json()) as T };
  };
  return {
    folder,
    fine,
    password,
    ask,
    configure: (grafana, others = {}) => folder.configure({ ...others, grafana: { ...basis, ...grafana } }),
    statusOf: async (path, secret) => (await ask(path, secret)).status,
    statusForAll: async (path) => (await fetch(folder.url('grafana', path))).status,
    request: async (path, as) =>
      fetch(folder.url('grafana', path), { headers: as === undefined ? await login() : header(as) }),
    statusAs: async (as, path) => (await fetch(folder.url('grafana', path), { headers: header(as) })).status,
    change: async (method, path, body = {}, as = undefined) => {
      const headers = { ...(as === undefined ? await login() : header(as)), 'content-type': 'application/json' };
      const answer = await fetch(folder.url('grafana', path), { method, headers, body: JSON.stringify(body) });
      expect(answer.status, await answer.text()).toBe(200);
    },
    containers: async () => (await engine.listContainers({ [stackLabel]: folder.name })).map(({ id }) => id).sort(),
    log: async () => {
      const container = await engine.findContainer(`${folder.name}-grafana`);
      const lines: string[] = [];
      if (container === undefined) return lines;
      for await (const { text } of engine.logs(container.id, {})) lines.push(text);
      return lines;
    },
    [Symbol.asyncDispose]: async () => {
      await engine[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}
