import { existsSync } from 'node:fs';
import { readFile, symlink, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { EngineSearch } from '../../../scripts/engine/connect.ts';
import { setUpEngine } from '../../../scripts/engine/setup.ts';
import type { Event } from '../../../scripts/util/event.ts';
import { StackError } from '../../../scripts/util/stack-error.ts';
import { fakeEngine } from '../../support/engine.ts';
import { emptyFolder } from '../../support/promstack.ts';

const engine = fakeEngine({});
const found: EngineSearch = { engine, attempts: [], isChosen: false };
const forever = new AbortController().signal;

function none(own: Partial<EngineSearch> = {}, kind: 'absent' | 'denied' = 'absent'): EngineSearch {
  const address = { source: 'Docker', kind: 'unusable', why: '' } as const;
  return { engine: undefined, attempts: [{ address, failure: { kind, why: 'not found' } }], isChosen: false, ...own };
}

/**
 * The programs of a fresh Debian; a test may replace some. Each logs its calls. No other programs are on the PATH, so
 * that nothing on this machine changes.
 */
const debian: Readonly<Record<string, string>> = {
  id: 'echo 0',
  grep: 'exit 1',
  rm: '',
  flock: 'shift 5; exec real-flock "$here/lock" "$@"',
  systemctl: 'echo "System has not been booted with systemd" >&2; exit 1',
  'apt-get':
    'case "$*" in *install*) echo "exec \\"$here/daemon\\"" > "$here/dockerd"; chmod +x "$here/dockerd";; esac',
};
const daemon = 'touch "$here/responds"; exec sleep 1';
const real = { bash: '/bin/bash', cat: '/bin/cat', chmod: '/bin/chmod', touch: '/usr/bin/touch', sleep: '/bin/sleep' };

async function openHost(programs: Readonly<Record<string, string | undefined>>) {
  const folder = await emptyFolder();
  const inFolder = (name: string) => join(folder.path, name);
  for (const [name, target] of Object.entries({ ...real, 'real-flock': '/usr/bin/flock' })) {
    await symlink(target, inFolder(name));
  }
  for (const [name, script] of Object.entries({ ...debian, daemon, ...programs })) {
    if (script === undefined) continue;
    const lines = ['#!/bin/bash', `here='${folder.path}'`, `echo "${name} $*" >> "$here/calls"`, script, ''];
    await writeFile(inFolder(name), lines.join('\n'), { mode: 0o755 });
  }
  await writeFile(inFolder('calls'), '');
  await writeFile(inFolder('log'), 'a line of an earlier set-up\n');
  return {
    env: { PATH: [folder.path].join(delimiter) },
    logFile: inFolder('log'),
    find: async () => (existsSync(inFolder('responds')) ? found : none()),
    /** The calls that change something. */
    calls: async () => {
      const calls = (await readFile(inFolder('calls'), 'utf8')).trim().split('\n');
      const trimmed = calls.map((call) => call.trim());
      return trimmed.filter((call) => !/^(id|grep|flock) |^systemctl show/.test(call));
    },
    message: (text: string) => text.replaceAll(inFolder('log'), 'LOG'),
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  };
}

/** A clock whose pauses are short. */
function fastClock() {
  let ms = 0;
  return {
    now: () => ms,
    sleep: async (pause: number) => {
      ms += pause * 20;
      await new Promise((resolve) => setTimeout(resolve, 20));
    },
  };
}

type Host = Awaited<ReturnType<typeof openHost>>;

async function setUp({ env, logFile, find: findOnHost }: Host, find: () => Promise<EngineSearch> = findOnHost) {
  const events: Event[] = [];
  const report = (event: Event) => void events.push(event);
  const options = { env, logFile, find, clock: fastClock() };
  const outcome = await setUpEngine(report, forever, options).catch((error: unknown) => error);
  return { outcome, events };
}

const messageOf = async (host: Host, find?: () => Promise<EngineSearch>): Promise<string> => {
  const { outcome } = await setUp(host, find);
  expect(outcome).toBeInstanceOf(StackError);
  return host.message((outcome as StackError).message);
};

test('an engine that responds must be used without a message', async () => {
  await using host = await openHost({});
  const { outcome, events } = await setUp(host, async () => found);
  expect(outcome).toBe(engine);
  expect(events).toEqual([]);
});

describe('when no engine may be set up', () => {
  test('an engine that the user chose must be left to the user', async () => {
    await using host = await openHost({});
    expect(await messageOf(host, async () => none({ isChosen: true }))).toMatch(
      /^looking for a container engine: none/,
    );
  });

  test('an engine without permission must be left to the user', async () => {
    await using host = await openHost({});
    expect(await messageOf(host, async () => none({}, 'denied'))).toMatch(/docker group/);
  });

  test('a host without apt must be reported', async () => {
    await using host = await openHost({ 'apt-get': undefined });
    expect(await messageOf(host)).toBe(
      'setting up a container engine: promstack can install one only with apt, which this host does not have\n' +
        '  try: install Docker or Podman by hand, then run this again',
    );
  });

  test('a user other than root must be advised to use root', async () => {
    await using host = await openHost({ id: 'echo 1000' });
    expect(await messageOf(host)).toBe(
      'setting up a container engine: installing packages and starting a daemon requires root\n' +
        '  try: run this again as root (sudo), or install Docker first: `sudo apt-get install docker.io`',
    );
  });
});

describe('on a fresh host', () => {
  const aptGet = 'apt-get -o DPkg::Lock::Timeout=300 --yes';
  const installing = `${aptGet} install --no-install-recommends docker.io iptables ca-certificates`;

  test('Docker must be installed and started, after a note that says so', async () => {
    await using host = await openHost({});
    const { outcome, events } = await setUp(host);
    expect(outcome).toBe(engine);
    expect(await host.calls()).toEqual([installing, 'rm -f /var/run/docker.pid', 'daemon']);
    expect(
      events.map((event) =>
        event.kind === 'note' ? host.message(event.text) : `${event.kind} ${'what' in event && event.what}`,
      ),
    ).toEqual([
      "No container engine answers: installing Docker from this host's own packages and starting it (log: LOG)",
      'started installing docker.io',
      'done installing docker.io',
      'started starting dockerd',
      'done starting dockerd',
    ]);
  });

  test('missing or old package lists must be updated once', async () => {
    const install = debian['apt-get'] ?? '';
    await using host = await openHost({
      'apt-get': `case "$*" in *update) touch "$here/lists";; esac; cat "$here/lists" || exit 100; ${install}`,
    });
    expect((await setUp(host)).outcome).toBe(engine);
    expect((await host.calls()).slice(0, 3)).toEqual([installing, `${aptGet} update`, installing]);
  });

  test('systemd must start it if systemd is running', async () => {
    await using host = await openHost({ systemctl: '[ "$1" = show ] || touch "$here/responds"', dockerd: '' });
    expect((await setUp(host)).outcome).toBe(engine);
    expect(await host.calls()).toEqual(['systemctl start docker']);
  });

  test('a running daemon must be waited for, not started again', async () => {
    await using host = await openHost({ dockerd: '', grep: 'touch "$here/responds"' });
    expect((await setUp(host)).outcome).toBe(engine);
    expect(await host.calls()).toEqual([]);
  });

  test('a daemon that exits because another one is running must not be a failure', async () => {
    const grep = '[ -e "$here/other" ] || exit 1; [ -e "$here/seen" ] && touch "$here/responds"; touch "$here/seen"';
    await using host = await openHost({ dockerd: 'touch "$here/other"; exit 1', grep });
    expect((await setUp(host)).outcome).toBe(engine);
  });

  test('two concurrent set-ups must both succeed', async () => {
    const install = debian['apt-get'] ?? '';
    await using host = await openHost({
      'apt-get': `[ -e "$here/busy" ] && exit 100; touch "$here/busy"; sleep 0.3; ${install}; exec real-rm "$here/busy"`,
    });
    await symlink('/bin/rm', join(host.env.PATH, 'real-rm'));
    const [first, second] = await Promise.all([setUp(host), setUp(host)]);
    expect([first.outcome, second.outcome]).toEqual([engine, engine]);
    expect((await host.calls()).filter((call) => call.startsWith('apt-get'))).toEqual([installing, installing]);
  });

  test('a stopped Docker must be started, and nothing installed', async () => {
    await using host = await openHost({ dockerd: daemon });
    const { events } = await setUp(host);
    expect(events.map((event) => (event.kind === 'note' ? host.message(event.text) : event.kind))).toEqual([
      'No container engine answers: starting Docker (log: LOG)',
      'started',
      'done',
    ]);
  });

  test('a daemon that exits must be reported with the cause and the end of its log', async () => {
    const dockerd = 'echo starting; echo "failed: Devices cgroup isn\'t mounted" >&2; exit 1';
    await using host = await openHost({ dockerd });
    expect(
      await messageOf(host),
    ).toBe(`starting dockerd: it exited with code 1: this host's control groups are not mounted; the end of LOG:
    starting
    failed: Devices cgroup isn't mounted
  try: \`apt-get install cgroupfs-mount && cgroupfs-mount\`, then run this again`);
  });

  test('a daemon that never responds must be given up after a minute', async () => {
    await using host = await openHost({ dockerd: 'echo still loading; exec sleep 30' });
    expect(await messageOf(host)).toMatch(
      /^starting dockerd: it did not respond within 60 s; the end of LOG:\n {4}still loading\n/,
    );
  });

  test('a failed installation must be reported with the cause', async () => {
    await using host = await openHost({ 'apt-get': 'echo "E: Unable to locate package docker.io" >&2; exit 100' });
    const error = 'E: Unable to locate package docker.io';
    expect(
      await messageOf(host),
    ).toBe(`installing docker.io: apt-get install failed: the host's apt sources have no docker.io; the end of LOG:
    ${[error, error, error].join('\n    ')}
  try: add the main archive (on Ubuntu: universe) to the apt sources, then run this again`);
  });
});
