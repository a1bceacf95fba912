import { describe, expect, it } from 'vitest';
import { checkRendering } from '../../../scripts/check/check.ts';
import type { CheckJob, CheckRun, OpenRunner } from '../../../scripts/check/runner.ts';
import { render } from '../../../scripts/render/render.ts';
import type { Rendering, ServiceRendering } from '../../../scripts/render/rendering.ts';
import type { Event } from '../../../scripts/util/event.ts';
import { StackError } from '../../../scripts/util/stack-error.ts';
import type { CheckCommand, CheckFinding } from '../../../stack/model.ts';
import { Secret } from '../../../stack/secret.ts';
import { defaultImages } from '../../../stack/values/default-images.ts';
import { commandOf, fileOf } from '../../support/check-commands.ts';
import { loadedAs, loadedFrom, templatesOf } from '../../support/loaded.ts';

const signal = AbortSignal.timeout(60_000);

/** A rendering of one service with these commands. */
function renderingOf(commands: readonly CheckCommand[], rest: Partial<ServiceRendering> = {}): Rendering {
  const result = render(loadedFrom('name: test\n'), templatesOf({}));
  if (!result.ok) throw new Error(JSON.stringify(result.error));
  const prometheus = result.value.services.find(({ service }) => service.name === 'prometheus');
  if (prometheus === undefined) throw new Error('there is no prometheus');
  const service = { ...prometheus.service, checks: () => commands };
  return { ...result.value, services: [{ ...prometheus, ...rest, service }] };
}

/** A runner with prepared results that records its commands. */
function runnerOf(answer: (command: CheckCommand) => Promise<CheckRun>) {
  const seen = { jobs: [] as CheckJob[], disposed: 0, running: 0 };
  const open: OpenRunner = async (job) => {
    seen.jobs.push(job);
    return {
      where: 'a test',
      run: async (command) => {
        seen.running++;
        try {
          return await answer(command);
        } finally {
          seen.running--;
        }
      },
      [Symbol.asyncDispose]: async () => {
        seen.disposed++;
        if (seen.running > 0) throw new Error('it was put away while something ran');
      },
    };
  };
  return { open, seen };
}

const idOf = (event: Event): string => ('id' in event ? event.id : '');
const ran = (exitCode: number, output = ''): CheckRun => ({ kind: 'ran', exitCode, output });

async function check(rendering: Rendering, open: OpenRunner) {
  const events: Event[] = [];
  const diagnostics = await checkRendering(rendering, open, (event) => events.push(event), signal);
  const reported = diagnostics.map(({ severity, message, hint, where }) =>
    [severity, where && `${where.file}:${where.line}:${where.column}+${where.length}`, message, hint && `(${hint})`]
      .filter(Boolean)
      .join(' '),
  );
  return { reported, events };
}

describe('a check', () => {
  it('must open one runner per service for all commands, and close it', async () => {
    const commands = [commandOf(['a']), commandOf(['b'])];
    const files = [fileOf('a.yml')];
    const { open, seen } = runnerOf(async () => ran(0));
    const { reported } = await check(renderingOf(commands, { files }), open);
    expect(reported).toEqual([]);
    expect(seen).toMatchObject({
      jobs: [{ service: 'prometheus', image: defaultImages.prometheus, user: '65534:65534', files, commands }],
      disposed: 1,
    });
  });

  it('must open no runner without commands', async () => {
    const { open, seen } = runnerOf(async () => ran(0));
    await check(renderingOf([]), open);
    expect(seen.jobs).toEqual([]);
  });

  it('must report its progress', async () => {
    const commands = [commandOf(['good']), commandOf(['bad']), commandOf(['none'])];
    const { open } = runnerOf(async ({ argv }) => {
      if (argv[0] === 'none') return { kind: 'notRun', why: 'it is not there', tryThis: 'get it' };
      return argv[0] === 'good' ? ({ ...ran(0), detail: 'twice' } as CheckRun) : ran(1, 'so\nbad');
    });
    const { reported, events } = await check(renderingOf(commands), open);
    expect(events.filter(({ kind }) => kind === 'started')).toHaveLength(3);
    const ended = events.filter(({ kind }) => kind !== 'started').toSorted((a, b) => (idOf(a) < idOf(b) ? -1 : 1));
    expect(ended).toEqual([
      { kind: 'done', id: 'check:prometheus:0', what: 'checking good', tookMs: expect.any(Number), detail: 'twice' },
      { kind: 'failed', id: 'check:prometheus:1', what: 'checking bad', why: '2 problems' },
      { kind: 'skipped', id: 'check:prometheus:2', what: 'checking none', because: 'it is not there' },
    ]);
    expect(reported).toEqual([
      'error bad in prometheus: so',
      'error bad in prometheus: bad',
      'warning could not check none: it is not there (get it)',
    ]);
  });

  it('must report a failure without findings', async () => {
    const { open } = runnerOf(async ({ argv }) => ran(7, argv[0] === 'a' ? ' \n' : 'panic:\n  goroutine'));
    const silent = { explain: () => [] };
    expect((await check(renderingOf([commandOf(['a'], silent), commandOf(['b'], silent)]), open)).reported).toEqual([
      'error a in prometheus: exit code 7 without output',
      'error b in prometheus: exit code 7: panic: goroutine',
    ]);
  });

  it('must report a finding of two commands once', async () => {
    const { open } = runnerOf(async () => ran(1, 'the same'));
    const command = { tool: 'tool' };
    expect((await check(renderingOf([commandOf(['a'], command), commandOf(['b'], command)]), open)).reported).toEqual([
      'error tool in prometheus: the same',
    ]);
  });

  it('must stop when a tool cannot run', async () => {
    let finish = () => {};
    const slow = new Promise<CheckRun>((resolve) => {
      finish = () => resolve(ran(0));
    });
    const { open, seen } = runnerOf(async ({ argv }) => {
      if (argv[0] === 'slow') return slow;
      setImmediate(finish);
      throw new Error('the engine is gone');
    });
    await expect(check(renderingOf([commandOf(['broken']), commandOf(['slow'])]), open)).rejects.toThrow(
      'the engine is gone',
    );
    expect(seen.disposed).toBe(1);
  });

  it('must not repeat what was being done when a tool could not run', async () => {
    const { open } = runnerOf(async () => {
      throw new StackError({ doing: 'checking a', why: 'tool could not be run', tryThis: 'by hand' });
    });
    const events: Event[] = [];
    const checking = checkRendering(renderingOf([commandOf(['a'])]), open, (event) => events.push(event), signal);
    await expect(checking).rejects.toThrow('checking a: tool could not be run');
    expect(events.at(-1)).toMatchObject({ kind: 'failed', what: 'checking a', why: 'tool could not be run' });
  });

  it('must never print a secret or a part of one', async () => {
    const secrets = [new Secret('hunter2hunter3', '!env A'), new Secret('two\nlines"here', '!env B')];
    const files = [fileOf('a.yml', new Secret('', ''), { secrets })];
    const { open } = runnerOf(async () =>
      ran(1, 'cannot unmarshal !!str `hunter2...` into int; "hunter2hunter3"; "two\\nlines\\"here"; lines"here'),
    );
    const { reported, events } = await check(renderingOf([commandOf(['tool'])], { files }), open);
    expect(reported).toEqual([
      'error tool in prometheus: cannot unmarshal !!str `[secret]` into int; "[secret]"; "[secret]"; [secret]',
    ]);
    expect(JSON.stringify(events)).not.toMatch(/hunter|lines/);
  });
});

describe('a finding', () => {
  /** The diagnostic of one finding in these files. */
  async function printed(finding: CheckFinding, rendering: Rendering): Promise<string> {
    const { open } = runnerOf(async () => ran(1));
    const [rendered] = rendering.services;
    if (rendered === undefined) throw new Error('there is no service');
    const service = { ...rendered.service, checks: () => [commandOf(['tool'], { explain: () => [finding] })] };
    const { reported } = await check({ ...rendering, services: [{ ...rendered, service }] }, open);
    return reported.join('\n');
  }

  const message = 'bad';
  const verbatim = renderingOf([], {
    files: [fileOf('rules/a.yml', 'groups:\n  - name: some\n    expr: up ==  \n', { origin: 'my/a.yml' })],
  });

  it.each<[string, CheckFinding, string]>([
    ['line and column', { path: 'rules/a.yml', line: 3, column: 11, message }, 'error my/a.yml:3:11+5 tool: bad'],
    ['a line', { path: 'rules/a.yml', line: 2, message }, 'error my/a.yml:2:3+12 tool: bad'],
    ['a line and a word', { path: 'rules/a.yml', line: 2, about: 'some', message }, 'error my/a.yml:2:11+4 tool: bad'],
    ['a word alone', { path: 'rules/a.yml', about: 'name: some', message }, 'error my/a.yml:2:5+10 tool: bad'],
    ['a whole word', { path: 'rules/a.yml', about: 'am', message }, 'error my/a.yml: tool: bad'],
    ['a word that is not there', { path: 'rules/a.yml', about: 'else', message }, 'error my/a.yml: tool: bad'],
    ["the last part of the file's path", { path: 'a.yml', line: 1, message }, 'error my/a.yml:1:1+7 tool: bad'],
    ['a line behind the last', { path: 'rules/a.yml', line: 99, column: 9, message }, 'error my/a.yml:4:1+1 tool: bad'],
    ['a file that is not there', { path: 'b.yml', line: 1, message }, 'error tool in prometheus: bad'],
  ])('in a user file must be reported at %s', async (_what, finding, expected) => {
    expect(await printed(finding, verbatim)).toBe(expected);
  });

  const loaded = loadedFrom(`name: test
prometheus:
  scrape_interval: 20s
  external_labels:
    site: home
  scrape_configs:
    - job_name: a
      static_configs:
        - targets: [x]
          labls: {a: b}
    - {job_name: b, oops: 1}
  remote_write:
    - url: u
      queue_config:
        capacity: lots
`);
  const template = `# comment
global:
  every: !value prometheus.scrape_interval
  labels: !value prometheus.external_labels
  typo: 1
jobs:
  - job: ours
  - !spread prometheus.scrape_configs
writes: !value prometheus.remote_write
`;
  const result = render(loaded, templatesOf({ 'prometheus/prometheus.yml': template }));
  if (!result.ok) throw new Error(JSON.stringify(result.error));
  const filled = {
    ...result.value,
    services: result.value.services.filter(({ service }) => service.name === 'prometheus'),
  };
  it('its place must be right behind items that promstack puts in front of a list', async () => {
    const stack = render(
      loadedFrom(`alertmanager:
  route:
    receiver: a
    routes:
      - receiver: b
      - receiver: c
        routes:
          - match_re:
              x: "(("
  receivers: [{name: a}, {name: b}, {name: c}]
`),
      templatesOf({ 'alertmanager/alertmanager.yml': 'route: !value alertmanager.route\n' }),
    );
    if (!stack.ok) throw new Error(JSON.stringify(stack.error));
    const services = stack.value.services.flatMap((one) =>
      one.service.name === 'alertmanager'
        ? [{ ...one, service: { ...one.service, checks: () => [commandOf(['tool'], { explain: () => [finding] })] } }]
        : [],
    );
    const [rendered = ''] = services.flatMap(({ files }) => files.map((file) => String(file.content)));
    expect(rendered).toContain('PromstackVerify');
    const finding = { path: 'alertmanager.yml', about: '((', message } as const;
    const { reported } = await check({ ...stack.value, services }, runnerOf(async () => ran(1)).open);
    expect(reported).toEqual(['error stack.yml:9:18+4 tool: bad']);
  });

  const path = 'prometheus.yml';
  const elsewhere =
    '(promstack render --service prometheus shows the file, which is rendered from /promstack/templates/prometheus/prometheus.yml and stack.yml)';

  it.each<[string, CheckFinding, string]>([
    ['its value', { path, line: 3, message }, 'error stack.yml:3:20+3 tool: bad'],
    ['a key below it', { path, line: 5, about: 'site', message }, 'error stack.yml:5:5+4 tool: bad'],
    ['a key deep below it', { path, line: 13, about: 'labls', message }, 'error stack.yml:10:11+5 tool: bad'],
    ['a value deep below it', { path, line: 12, message }, 'error stack.yml:9:21+1 tool: bad'],
    ['a key in brackets', { path, about: 'oops', message }, 'error stack.yml:11:21+4 tool: bad'],
    ['a value found by its text', { path, about: 'lots', message }, 'error stack.yml:15:19+4 tool: bad'],
    [
      'the line of the rendered file',
      { path, line: 6, message },
      `error tool: bad, in prometheus/prometheus.yml line 6 ${elsewhere}`,
    ],
    ['the rendered file', { path, message }, `error tool: bad, in prometheus/prometheus.yml ${elsewhere}`],
  ])('in values of stack.yml must be reported at %s', async (_what, finding, expected) => {
    expect(await printed(finding, filled)).toBe(expected);
  });

  it('must be reported without a place in stack.yml when that is unknown', async () => {
    const config = loadedAs(loaded.config);
    const unknown = render(config, templatesOf({ 'prometheus/prometheus.yml': template }));
    if (!unknown.ok) throw new Error(JSON.stringify(unknown.error));
    const services = unknown.value.services.filter(({ service }) => service.name === 'prometheus');
    expect(await printed({ path, line: 3, message }, { ...unknown.value, services })).toBe(
      `error tool: bad, in prometheus/prometheus.yml line 3 ${elsewhere}`,
    );
  });
});
