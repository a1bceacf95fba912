import pc from 'picocolors';
import { expect, test } from 'vitest';
import { printStatus, watchStatus } from '../../../../scripts/cli/print/status.ts';
import type { StackStatus } from '../../../../scripts/inspect/status.ts';
import type { Report } from '../../../../scripts/util/event.ts';
import { fakeClock } from '../../../support/fake-clock.ts';
import { Screen } from '../../../support/screen.ts';

const status: StackStatus = {
  stack: 'demo',
  revision: '3f2a9c0d1e4b',
  services: [
    {
      service: 'prometheus',
      container: 'demo-prometheus',
      state: 'running',
      uptime: 'Up 3 minutes',
      isReady: true,
      image: 'prom/prometheus:v3.5.3',
      revision: '1cbcd42175d4',
      url: 'http://127.0.0.1:9090',
      vitals: [
        { label: 'targets', text: '3 up, 1 down', values: {}, tone: 'wrong' },
        { label: 'last reload', text: '4 min ago', values: {}, tone: 'right' },
      ],
    },
    {
      service: 'sink',
      container: undefined,
      state: 'absent',
      uptime: undefined,
      isReady: false,
      image: 'prom/pushgateway:v1.11.2',
      revision: undefined,
      url: undefined,
      vitals: [],
    },
  ],
  problems: [
    { tone: 'wrong', service: 'sink', message: 'it has no container', tryThis: 'promstack up' },
    { tone: 'notice', service: 'prometheus', message: 'differs from stack.yml', tryThis: 'promstack up' },
    { tone: 'notice', service: 'alertmanager', message: 'differs from stack.yml', tryThis: 'promstack up' },
  ],
  isRight: false,
};

const print = (columns: number | undefined, shown = status) =>
  printStatus(shown, { colours: pc.createColors(false), columns });

test('the status must show each service with its health, each problem and what to try', () => {
  expect(print(undefined)).toBe(`demo  revision 3f2a9c0d1e4b

SERVICE     STATE                ADDRESS                REVISION      IMAGE
prometheus  ready, up 3 minutes  http://127.0.0.1:9090  1cbcd42175d4  prom/prometheus:v3.5.3
sink        no container                                              prom/pushgateway:v1.11.2

prometheus  targets      3 up, 1 down
            last reload  4 min ago

✖ sink: it has no container
  try: promstack up
▲ prometheus, alertmanager: differs from stack.yml
  try: promstack up
✖ 1 problem, 2 notices
`);
});

test.each([
  ['it has no container', 'they have no container'],
  ['it is stopped', 'they are stopped'],
  ['it does not answer: timeout', 'they do not answer: timeout'],
  ['its container is exited', 'their containers are exited'],
  ['its memory limit was changed by hand', 'their memory limit was changed by hand'],
  ['differs from stack.yml', 'differs from stack.yml'],
])('a problem of several services must be in the plural: %s', (message, expected) => {
  const problems = ['pushgateway', 'grafana'].map((service) => ({ tone: 'wrong', service, message }) as const);
  expect(print(undefined, { ...status, problems })).toContain(`✖ pushgateway, grafana: ${expected}\n`);
  expect(print(undefined, { ...status, problems: problems.slice(1) })).toContain(`✖ grafana: ${message}\n`);
});

test('a narrow terminal must omit the least important columns', () => {
  const head = (columns: number) => print(columns).split('\n')[2];
  expect(head(94)).toBe('SERVICE     STATE                ADDRESS                REVISION      IMAGE');
  expect(head(93)).toBe('SERVICE     STATE                ADDRESS                REVISION');
  expect(head(60)).toBe('SERVICE     STATE                ADDRESS');
  expect(head(20)).toBe('SERVICE     STATE                ADDRESS');
});

test('a stack without problems must be reported as such, even before its first revision', () => {
  const right = print(undefined, { ...status, revision: undefined, services: [], problems: [], isRight: true });
  expect(right).toContain('demo  no revision confirmed yet\n');
  expect(right).toMatch(/✔ no problems found\n$/);
});

test('a stack that cannot have a history must not be reported as waiting for its first revision', () => {
  const without = print(undefined, { ...status, revision: undefined, hasHistory: false });
  expect(without).toContain('demo  no history, which needs Prometheus in the stack\n');
});

test('a warning must be printed once, above the live status', async () => {
  const screen = await watchOn({ isTerminal: true });
  expect(screen.text()).toBe('! the port is odd\n! the name is odd\nlook 4\nall is well');
});

test('into a pipe, a warning must be printed once, too', async () => {
  const screen = await watchOn({ isTerminal: false });
  expect(screen.text()).toBe(
    '! the port is odd\nlook 1\nall is well\nlook 2\nall is well\n! the name is odd\nlook 3\nall is well\nlook 4\nall is well',
  );
});

/** Refreshes four times, the last two with another warning; stdout and stderr share a screen. */
async function watchOn({ isTerminal }: { isTerminal: boolean }): Promise<Screen> {
  const screen = new Screen(80);
  const write = (text: string) => screen.write(text);
  const stopping = new AbortController();
  let looks = 0;
  const look = async (report: Report) => {
    looks += 1;
    report({ kind: 'warning', text: 'the port is odd' });
    if (looks > 2) report({ kind: 'warning', text: 'the name is odd' });
    if (looks === 4) stopping.abort();
    return `look ${looks}\nall is well\n`;
  };
  const watching = watchStatus(
    {
      stdout: {
        write,
        writeJson: () => undefined,
        isTerminal,
        columns: () => 80,
        rows: () => 24,
        colours: pc.createColors(false),
      },
      clock: fakeClock(),
      signal: stopping.signal,
      json: false,
      line: () => undefined,
      report: (event) => write(event.kind === 'warning' ? `! ${event.text}\n` : expect.fail(event.kind)),
    },
    { take: look, print: (text) => text, toLine: () => undefined as never },
  );
  await watching.catch((error: unknown) => expect(error).toBe(stopping.signal.reason));
  return screen;
}
