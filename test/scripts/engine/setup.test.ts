import { describe, expect, test } from 'vitest';
import type { EngineSearch } from '../../../scripts/engine/connect.ts';
import type { SetUpHost } from '../../../scripts/engine/setup/set-up-host.ts';
import { setUpEngine } from '../../../scripts/engine/setup.ts';
import type { Event } from '../../../scripts/util/event.ts';
import { StackError } from '../../../scripts/util/stack-error.ts';
import { fakeEngine } from '../../support/engine.ts';

const engine = fakeEngine({});
const found: EngineSearch = { engine, attempts: [], isChosen: false };
const forever = new AbortController().signal;

function none(own: Partial<EngineSearch> = {}, kind: 'absent' | 'denied' = 'absent'): EngineSearch {
  const address = { source: 'Docker', kind: 'unusable', why: '' } as const;
  return { engine: undefined, attempts: [{ address, failure: { kind, why: 'not there' } }], isChosen: false, ...own };
}

/** A fresh Debian host as root; whatever a test does not tell it, it refuses. */
function host(own: Partial<SetUpHost>): SetUpHost {
  const untold = (what: string) => () => {
    throw new Error(`the fake host was not told what to do for ${what}`);
  };
  return {
    isRoot: true,
    hasSystemd: false,
    logFile: '/var/log/test.log',
    hasApt: async () => true,
    hasDaemon: untold('hasDaemon'),
    run: untold('run'),
    startDaemon: untold('startDaemon'),
    isDaemonRunning: async () => false,
    clearStalePid: async () => undefined,
    lastLog: untold('lastLog'),
    ...own,
  };
}

/** Finds what it is told, one answer after the other, the last one for ever. */
function finder(...answers: readonly [EngineSearch, ...EngineSearch[]]): () => Promise<EngineSearch> {
  const left = [...answers];
  return async () => (left.length > 1 ? left.shift() : left[0]) ?? answers[0];
}

/** A clock on which waiting takes no time. */
function fastClock() {
  let ms = 0;
  return {
    now: () => ms,
    sleep: async (pause: number) => {
      ms += pause;
      await new Promise(setImmediate);
    },
  };
}

async function setUp(own: Partial<SetUpHost>, ...answers: readonly [EngineSearch, ...EngineSearch[]]) {
  const events: Event[] = [];
  const options = { host: host(own), find: finder(...answers), clock: fastClock() };
  const outcome = await setUpEngine((event) => events.push(event), forever, options).catch((error: unknown) => error);
  return { outcome, events };
}

test('an engine that answers must be taken as it is, without a word', async () => {
  const { outcome, events } = await setUp({}, found);
  expect(outcome).toBe(engine);
  expect(events).toEqual([]);
});

describe('where an engine may not be set up', () => {
  test('one that the person chose must be theirs to mend', async () => {
    const { outcome, events } = await setUp({}, none({ isChosen: true }));
    expect((outcome as StackError).message).toMatch(/^looking for a container engine: none answers/);
    expect(events).toEqual([]);
  });

  test('one that they may not use must be theirs to mend', async () => {
    const { outcome } = await setUp({}, none({}, 'denied'));
    expect((outcome as StackError).message).toMatch(/docker group/);
  });

  test('a host without apt must be told what to do', async () => {
    const { outcome } = await setUp({ hasApt: async () => false }, none());
    expect((outcome as StackError).message).toBe(
      "setting up a container engine: this host's packages are not apt's, and promstack knows no others\n" +
        '  try: install Docker or Podman by hand, then run this again',
    );
  });

  test('someone who is not root must be told what to do', async () => {
    const { outcome } = await setUp({ isRoot: false }, none());
    expect((outcome as StackError).message).toBe(
      'setting up a container engine: installing packages and starting a daemon takes root\n' +
        '  try: run this again as root (sudo), or install Docker first: `sudo apt-get install docker.io`',
    );
  });
});

describe('on a fresh host', () => {
  const never = new Promise<number | null>(() => undefined);

  test('Docker must be installed and started, after saying so', async () => {
    const did: string[] = [];
    const { outcome, events } = await setUp(
      {
        hasDaemon: async () => false,
        run: async (program, argv) => {
          did.push([program, ...argv].join(' '));
          return 0;
        },
        startDaemon: async (program) => {
          did.push(`start ${program}`);
          return { ended: never };
        },
      },
      none(),
      none(),
      none(),
      none(),
      found,
    );
    expect(outcome).toBe(engine);
    const install = 'install --yes --no-install-recommends docker.io iptables ca-certificates';
    expect(did).toEqual([`apt-get -o DPkg::Lock::Timeout=300 ${install}`, 'start dockerd']);
    expect(
      events.map((event) => (event.kind === 'note' ? event.text : `${event.kind} ${'what' in event && event.what}`)),
    ).toEqual([
      "No container engine answers: installing Docker from this host's own packages and starting it (log: /var/log/test.log)",
      'started installing docker.io',
      'done installing docker.io',
      'started starting dockerd',
      'done starting dockerd',
    ]);
  });

  test('package lists that are missing or old must be fetched once', async () => {
    const did: string[] = [];
    await setUp(
      {
        hasDaemon: async () => false,
        run: async (_program, argv) => {
          did.push(argv[2] ?? '');
          return did.length === 1 ? 100 : 0;
        },
      },
      none(),
      none(),
      found,
    );
    expect(did).toEqual(['install', 'update', 'install']);
  });

  test('systemd must start it where systemd runs', async () => {
    const did: string[] = [];
    const run: SetUpHost['run'] = async (program, argv) => {
      did.push([program, ...argv].join(' '));
      return 0;
    };
    await setUp({ hasSystemd: true, hasDaemon: async () => true, run }, none(), none(), none(), none(), found);
    expect(did).toEqual(['systemctl start docker']);
  });

  test('what another promstack set up meanwhile must be taken', async () => {
    expect((await setUp({ hasDaemon: async () => false }, none(), found)).outcome).toBe(engine);
  });

  test('a daemon that is starting already must be waited for, not started again', async () => {
    const own = { hasDaemon: async () => true, isDaemonRunning: async () => true };
    expect((await setUp(own, none(), none(), none(), none(), found)).outcome).toBe(engine);
  });

  test('a daemon of ours that gives way to another must not be a failure', async () => {
    let isOther = false;
    const own: Partial<SetUpHost> = {
      hasDaemon: async () => true,
      isDaemonRunning: async () => isOther,
      startDaemon: async () => {
        isOther = true;
        return { ended: Promise.resolve(1) };
      },
    };
    expect((await setUp(own, none(), none(), none(), none(), found)).outcome).toBe(engine);
  });

  test('two at once must do it once', async () => {
    const state = { isInstalled: false, isStarted: false };
    const did: string[] = [];
    const two = () =>
      setUpEngine(() => undefined, forever, {
        clock: fastClock(),
        find: async () => (state.isStarted ? found : none()),
        host: host({
          hasDaemon: async () => state.isInstalled,
          run: async () => {
            did.push('install');
            await new Promise(setImmediate);
            state.isInstalled = true;
            return 0;
          },
          startDaemon: async () => {
            did.push('start');
            const answer = () => {
              state.isStarted = true;
            };
            // It answers only after others had their turn.
            setImmediate(() => setImmediate(() => setImmediate(answer)));
            return { ended: never };
          },
        }),
      });
    expect(await Promise.all([two(), two()])).toEqual([engine, engine]);
    expect(did).toEqual(['install', 'start']);
  });

  test('a Docker that is only stopped must be started, and nothing installed', async () => {
    const own = { hasDaemon: async () => true, startDaemon: async () => ({ ended: never }) };
    const { events } = await setUp(own, none(), none(), none(), found);
    expect(events.map((event) => (event.kind === 'note' ? event.text : event.kind))).toEqual([
      'No container engine answers: starting Docker (log: /var/log/test.log)',
      'started',
      'done',
    ]);
  });

  test('a daemon that ends must be told at once, with the cause and the end of its log', async () => {
    const { outcome, events } = await setUp(
      {
        hasDaemon: async () => true,
        startDaemon: async () => ({ ended: Promise.resolve(1) }),
        lastLog: async () => ['starting', "failed: Devices cgroup isn't mounted"],
      },
      none(),
    );
    expect((outcome as StackError).message).toBe(
      `starting dockerd: it ended with exit code 1: this host's control groups are not mounted; the end of /var/log/test.log:
    starting
    failed: Devices cgroup isn't mounted
  try: \`apt-get install cgroupfs-mount && cgroupfs-mount\`, then run this again`,
    );
    expect(events.at(-1)).toMatchObject({ kind: 'failed', what: 'starting dockerd' });
  });

  test('a daemon that never answers must end at a deadline', async () => {
    const { outcome } = await setUp(
      {
        hasDaemon: async () => true,
        startDaemon: async () => ({ ended: never }),
        lastLog: async () => ['still loading'],
      },
      none(),
    );
    expect((outcome as StackError).why).toBe(
      'it does not answer after 60 s; the end of /var/log/test.log:\n    still loading',
    );
  });

  test('packages that cannot be had must be told with the cause', async () => {
    const { outcome } = await setUp(
      {
        hasDaemon: async () => false,
        run: async () => 100,
        lastLog: async () => ['E: Unable to locate package docker.io'],
      },
      none(),
    );
    expect(outcome).toBeInstanceOf(StackError);
    expect((outcome as StackError).message).toBe(
      `installing docker.io: apt-get install failed: the host's apt sources have no docker.io; the end of /var/log/test.log:
    E: Unable to locate package docker.io
  try: add the main archive (on Ubuntu: universe) to the apt sources, then run this again`,
    );
  });
});
