import { cp, readdir, rm } from 'node:fs/promises';
import { resolve } from 'node:path';
import { adminUser } from '../../../stack/grafana/settings.ts';
import type { Secret } from '../../../stack/secret.ts';
import { changeStack } from '../../apply/change.ts';
import type { Run } from '../../apply/run.ts';
import { openRunning } from '../../library/running-stack.ts';
import { openServers, type Servers } from '../../servers/servers.ts';
import { displayPath } from '../../util/display-path.ts';
import { makeFolder } from '../../util/make-folder.ts';
import { misuse } from '../../util/misuse.ts';
import { makeOwnFolder, sweepOwnFolders } from '../../util/own-folder.ts';
import { InputError } from '../../util/stack-error.ts';
import { bringUpDemo, type RunningDemo } from './bring-up.ts';
import { type PlayedStep, playScenario } from './play.ts';
import type { Scenario } from './scenario.ts';

/** Copies a scenario into a new or empty folder, as the start of one of the user's; returns its path as the user would type it. */
export async function ejectScenario(scenario: Scenario, to: string, cwd: string): Promise<string> {
  const folder = resolve(cwd, to);
  const shown = displayPath(folder, cwd);
  if (`${folder}/`.startsWith(`${scenario.folder}/`)) {
    throw new InputError([misuse(`${shown} is in the folder of the scenario itself`, 'name a folder outside of it')]);
  }
  await makeFolder(folder).catch((cause: NodeJS.ErrnoException) => {
    throw new InputError([misuse(`${shown} cannot be created: ${cause.message}`, 'name a new folder')]);
  });
  if ((await readdir(folder)).length > 0) {
    throw new InputError([misuse(`${shown} is not empty; nothing was written`, 'name a new folder')]);
  }
  await cp(scenario.folder, folder, { recursive: true });
  return shown;
}

interface ShowOptions {
  readonly run: Run;
  readonly name: string;
  readonly speed: number;
  /** `dashboard` is the address of one that shows the incident, if Grafana runs. */
  onUp(demo: RunningDemo, dashboard: string | undefined): void;
  onStart(step: Pick<PlayedStep, 'step' | 'steps' | 'say'>): void;
  onEnd(step: PlayedStep): void;
}

/** A copy of a scenario, in which its steps may edit files; links lead to files of the user's, so their content is copied. */
export async function copyScenario({ folder }: Pick<Scenario, 'folder'>): Promise<string> {
  await sweepOwnFolders();
  const copy = await makeOwnFolder();
  await cp(folder, copy, { recursive: true, dereference: true });
  return copy;
}

/** Brings the stack of a scenario up and plays it; returns the address of a dashboard that shows the incident. */
export async function showScenario(scenario: Scenario, options: ShowOptions): Promise<string | undefined> {
  const { run, name, speed } = options;
  const folder = await copyScenario(scenario);
  try {
    const demo = await bringUpDemo({ ...run, name, folder });
    const { rendering, render } = demo;
    const servers = await openServers(run.engine, rendering.config, run.signal);
    try {
      const { mark, dashboard } = await openMarks(servers, demo.password);
      options.onUp(demo, dashboard && `${dashboard}?from=now-2m&to=now&refresh=5s`);
      const nothing = async (): Promise<void> => undefined;
      const reload = async () => {
        const next = await render();
        return { rendering: next, plan: (await changeStack({ ...run, rendering: next, command: 'reload' })).plan };
      };
      await using stack = await openRunning({ run, rendering, render, reload, remove: nothing, close: nothing });
      const startedAt = run.clock.now();
      await playScenario(scenario, { ...options, stack, rendering, folder, speed, mark });
      return dashboard && `${dashboard}?from=${startedAt - edgeMs}&to=${run.clock.now() + edgeMs}`;
    } finally {
      servers.close();
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** What a dashboard shows before and after an incident. */
const edgeMs = 10_000;

interface Marks {
  /** Adds an annotation to every dashboard of Grafana. A demo does not end over one that is missing. */
  mark(text: string): Promise<void>;
  /** The address of the overview, or of another dashboard if there is none. */
  readonly dashboard: string | undefined;
}

async function openMarks(servers: Servers, password: Secret | undefined): Promise<Marks> {
  if (password === undefined) return { mark: async () => undefined, dashboard: undefined };
  const authorization = `Basic ${Buffer.from(`${adminUser}:${password.reveal()}`).toString('base64')}`;
  const headers = { authorization, 'content-type': 'application/json' };
  const search = { method: 'GET', path: '/api/search?type=dash-db', headers } as const;
  const { status, body } = await servers.request('grafana', search);
  const dashboards = status === 200 ? (JSON.parse(body) as readonly { uid: string }[]) : [];
  const uids = dashboards.map(({ uid }) => uid);
  const shown = uids.find((uid) => uid === 'promstack-overview') ?? uids[0];
  return {
    dashboard: shown && `${servers.urls()['grafana']}/d/${shown}`,
    mark: async (text) => {
      const time = Date.now();
      const post = (dashboardUID: string) => {
        const annotation = JSON.stringify({ dashboardUID, time, text, tags: ['demo'] });
        return servers.request('grafana', { method: 'POST', path: '/api/annotations', headers, body: annotation });
      };
      await Promise.allSettled(uids.map(post));
    },
  };
}
