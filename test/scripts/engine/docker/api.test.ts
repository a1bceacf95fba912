import type { ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { describe, expect, it, test, vi } from 'vitest';
import type { ContainerRequest, Engine, HelperRequest } from '../../../../scripts/engine/engine.ts';
import { EngineError } from '../../../../scripts/engine/engine-error.ts';
import type { Event } from '../../../../scripts/util/event.ts';
import { stackSchema } from '../../../../stack/config.ts';
import { findService } from '../../../../stack/services.ts';
import { type Answer, fakeDaemon, json } from '../../../support/fake-daemon.ts';

const { signal: forever } = new AbortController();

const helper: HelperRequest = { name: 'h', image: 'i', user: '0:0', entrypoint: [], args: [], labels: {}, mounts: [] };

function containerRequest(): ContainerRequest {
  const service = findService('pushgateway');
  if (service === undefined) throw new Error('there is no Pushgateway');
  const spec = service.container(stackSchema.parse({ name: 'demo' }));
  return { name: 'c', spec, labels: {}, network: 'n', volumes: spec.mounts.map(() => 'v') };
}

/** Every call of an engine. */
const calls: {
  readonly [K in Exclude<keyof Engine, 'kind' | 'location' | 'swarm' | symbol>]: (engine: Engine) => Promise<unknown>;
} = {
  info: (engine) => engine.info(),
  details: (engine) => engine.details(),
  listContainers: (engine) => engine.listContainers({}),
  listContainersOf: (engine) => engine.listContainersOf('v'),
  findContainer: (engine) => engine.findContainer('x'),
  inspectContainer: (engine) => engine.inspectContainer('x'),
  createContainer: (engine) => engine.createContainer(containerRequest()),
  createHelper: (engine) => engine.createHelper(helper),
  startContainer: (engine) => engine.startContainer('x'),
  stopContainer: (engine) => engine.stopContainer('x', 0),
  removeContainer: (engine) => engine.removeContainer('x'),
  nextExit: (engine) => engine.nextExit('x', forever),
  containerEvents: async (engine) => {
    for await (const event of engine.containerEvents(forever)) void event;
  },
  exec: (engine) => engine.exec('x', ['/bin/true']),
  execStream: (engine) => engine.execStream('x', ['/bin/true'], forever),
  logs: async (engine) => {
    for await (const line of engine.logs('x', {})) void line;
  },
  putFiles: (engine) =>
    engine.putFiles('x', '/', [{ kind: 'link', path: 'current', to: 'releases/1', uid: 0, gid: 0 }]),
  getFiles: (engine) => engine.getFiles('x', '/etc/hosts'),
  readArchive: async (engine) => {
    for await (const chunk of await engine.readArchive('x', '/data')) void chunk;
  },
  writeArchive: (engine) => engine.writeArchive('x', '/data', Readable.from([Buffer.alloc(1024)])),
  readLink: (engine) => engine.readLink('x', '/etc/current'),
  hasProgram: (engine) => engine.hasProgram('x', '/bin/wget'),
  listVolumes: (engine) => engine.listVolumes({}),
  findVolume: (engine) => engine.findVolume('v'),
  createVolume: (engine) => engine.createVolume('v', { a: 'b' }),
  removeVolume: (engine) => engine.removeVolume('v'),
  listNetworks: (engine) => engine.listNetworks({}),
  createNetwork: (engine) => engine.createNetwork('n', {}),
  removeNetwork: (engine) => engine.removeNetwork('n'),
  listImages: (engine) => engine.listImages({}),
  findImage: (engine) => engine.findImage('prom/x:v1'),
  removeImage: (engine) => engine.removeImage('prom/x:v1'),
  pullImage: (engine) => engine.pullImage('prom/x:v1', () => undefined, forever),
  importImage: (engine) => engine.importImage(Readable.from([Buffer.from('tar')]), 'x:1', []),
  tagImage: (engine) => engine.tagImage('x:1', 'y:1'),
  saveImages: async (engine) => text((await engine.saveImages(['x:1'])) as Readable),
  loadImages: (engine) => engine.loadImages(Readable.from([Buffer.from('tar')])),
};
const all = Object.entries(calls);

const body =
  (status: number, content: string, type = 'text/html'): Answer =>
  (request, response) => {
    request.resume();
    response.writeHead(status, { 'Content-Type': type }).end(content);
  };
const never: Answer = (request) => void request.resume();

/** Short, so that a test of them takes no time. */
const limits = {
  readMs: 100,
  changeMs: 100,
  deleteMs: 100,
  transferMs: 100,
  silentMs: 100,
  graceMs: 60,
  slowReadMs: 20,
  slowChangeMs: 20,
};

describe('an engine that never responds', () => {
  it.each(all)('must end %s with how long, the address and what to try', async (name, call) => {
    await using daemon = await fakeDaemon(never, { limits: { ...limits, transferMs: 100 } });
    const error: unknown = await call(daemon.engine).then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    expect(error, name).toBeInstanceOf(EngineError);
    expect(error).toMatchObject({
      code: 'unreachable',
      message: expect.stringMatching(/^the engine at unix:.* has not responded for 1\d0 ms$/),
      tryThis: expect.stringContaining('docker info'),
    });
  });

  it.each(all)('must not keep an interrupt from ending %s', async (_, call) => {
    const interrupt = new AbortController();
    const limitless = { readMs: 60_000, changeMs: 60_000, deleteMs: 60_000, transferMs: 60_000, graceMs: 20 };
    await using daemon = await fakeDaemon(
      (request) => {
        request.resume();
        interrupt.abort(new Error('interrupted by SIGINT'));
      },
      { limits: limitless, signal: interrupt.signal },
    );
    await expect(call(daemon.engine)).rejects.toThrow('interrupted by SIGINT');
  });

  it('must not make Node warn of many listeners when there are many at once', async () => {
    const warnings: string[] = [];
    const onWarning = ({ name }: Error): unknown => warnings.push(name);
    process.on('warning', onWarning);
    const interrupt = new AbortController();
    await using daemon = await fakeDaemon(json(200, []), { signal: interrupt.signal });
    await Promise.all(Array.from({ length: 30 }, () => daemon.engine.listContainers({})));
    await new Promise((resolve) => setImmediate(resolve));
    process.off('warning', onWarning);
    expect(warnings).toEqual([]);
  });

  it('must be reported after a while, and once it responds', async () => {
    const events: Event[] = [];
    const slow: Answer = (request, response) => {
      setTimeout(() => json(200, [])(request, response), 60);
    };
    await using daemon = await fakeDaemon(slow, {
      limits: { ...limits, readMs: 10_000 },
      report: (event) => events.push(event),
    });
    await daemon.engine.listContainers({});
    const id = 'engine-1';
    const what = 'wait for the engine: listing containers';
    expect(events).toEqual([
      { kind: 'started', id, what },
      { kind: 'progress', id, what, detail: `no response yet from unix://${daemon.path}` },
      { kind: 'done', id, what, tookMs: expect.any(Number) },
    ]);
  });

  it('must be reported with short ids', async () => {
    const id = '28f4d9b6a8ca'.padEnd(64, '0');
    const calls: readonly ((engine: Engine) => Promise<unknown>)[] = [
      (engine) => engine.readLink(id, '/etc/current'),
      (engine) => engine.getFiles(id, '/etc/hosts'),
      (engine) => engine.removeContainer(id),
      (engine) => engine.findImage(`sha256:${id}`),
    ];
    for (const call of calls) {
      const events: Event[] = [];
      await using daemon = await fakeDaemon(never, { limits, report: (event) => events.push(event) });
      const error = await call(daemon.engine).catch((reason: EngineError) => reason.doing);
      expect(error).toMatch(/28f4d9b6a8ca(?!0)/);
      expect(events.flatMap((event) => ('what' in event ? [event.what] : []))).not.toHaveLength(0);
      expect(JSON.stringify(events)).not.toContain(id);
    }
  });

  it('must not be waited for as long again by the next call', async () => {
    await using daemon = await fakeDaemon(never, { limits: { ...limits, changeMs: 60_000 } });
    await expect(daemon.engine.listContainers({})).rejects.toThrow('100 ms');
    await expect(daemon.engine.removeContainer('x')).rejects.toThrow('100 ms');
  });
});

describe('an interrupt', () => {
  it('must give a change time to end, so that its result is known', async () => {
    const interrupt = new AbortController();
    await using daemon = await fakeDaemon(
      (request, response) => {
        interrupt.abort(new Error('interrupted'));
        const answer = request.method === 'GET' ? json(200, { Config: {} }) : json(201, { Id: 'new' });
        setTimeout(() => answer(request, response), 30);
      },
      { signal: interrupt.signal },
    );
    expect(await daemon.engine.createHelper(helper)).toBe('new');
  });

  it('must not keep later calls from being made, as those of a rollback', async () => {
    await using daemon = await fakeDaemon(json(200, []), { signal: AbortSignal.abort(new Error('interrupted')) });
    expect(await daemon.engine.listContainers({})).toEqual([]);
  });
});

/** Calls without a result: any response of success is one. */
const withoutResult = new Set([
  'startContainer',
  'stopContainer',
  'removeContainer',
  'putFiles',
  'writeArchive',
  'removeVolume',
  'removeNetwork',
]);
for (const name of ['removeImage', 'tagImage']) withoutResult.add(name);
/** Calls of which only a part of the response is looked at. */
const withoutBody = new Set([
  'execStream',
  'readLink',
  'hasProgram',
  'exec',
  'getFiles',
  'createContainer',
  'createHelper',
  'createNetwork',
]);
/** Calls whose responses are any lines of progress. */
const progress = ['pullImage', 'importImage', 'loadImages'];
/** Calls whose responses may have no line. */
const endless = ['logs', 'containerEvents'];
/** Anything may be in them. */
const raw = new Set(['saveImages', 'readArchive']);

test.each(['', '\n'])(
  'a call without a result must accept an empty response, as of Docker or Podman: %j',
  async (text) => {
    await using daemon = await fakeDaemon(body(201, text));
    await expect(daemon.engine.tagImage('x:1', 'y:1')).resolves.toBeUndefined();
  },
);

describe('a response that is not from the Docker API', () => {
  const page = '<!doctype html>\t<title>It works!</title>';
  it.each([
    ['a web page', body(200, page), '<!doctype html> <title>It works!</title>', raw],
    ['JSON that is cut', body(200, '[{"Id":"abc","Names":["/x"', 'application/json'), '[{"Id":"abc"', raw],
    ['an empty response', body(200, ''), 'empty', new Set([...withoutResult, ...raw, ...endless])],
    [
      'a line break, as of Podman',
      body(201, '\n'),
      'empty',
      new Set([...withoutResult, ...raw, ...progress, ...endless]),
    ],
    ['another JSON', json(200, { status: 'success' }), '', new Set([...withoutResult, ...progress, ...raw])],
    ['an error page', body(502, '<html>Bad Gateway</html>'), 'status 502, <html>Bad Gateway</html>', new Set<string>()],
    [
      'a page that is not found',
      body(404, '404 page not found', 'text/plain'),
      '404 page not found',
      new Set<string>(),
    ],
    ['an empty error', body(503, ''), 'status 503, empty', new Set<string>()],
  ])('must be called that, with the address: %s', async (_, answer, shown, unseen: ReadonlySet<string>) => {
    await using daemon = await fakeDaemon(answer, { limits: { readMs: 2_000, changeMs: 2_000, transferMs: 2_000 } });
    for (const [name, call] of all) {
      if (unseen.has(name)) continue;
      const error: unknown = await call(daemon.engine).then(
        (value) => value,
        (thrown: unknown) => thrown,
      );
      expect(error, name).toBeInstanceOf(EngineError);
      const { message, tryThis } = error as EngineError;
      expect(message, name).toContain(`the response from unix://${daemon.path} is not from the Docker API`);
      if (!withoutBody.has(name)) expect(message, name).toContain(shown);
      expect(tryThis).toContain('DOCKER_HOST');
    }
  });

  it('that breaks off must be an error at once', async () => {
    await using daemon = await fakeDaemon((_request, response) => {
      response.writeHead(200, { 'Content-Length': '1000' }).write('[{"Id":');
      setImmediate(() => response.destroy());
    });
    await expect(daemon.engine.listContainers({})).rejects.toMatchObject({
      code: 'unreachable',
      message: 'the connection was closed before the response was complete',
    });
  });
});

describe('a long response', () => {
  it('must have all the time it needs, as long as something arrives', async () => {
    let sent = 0;
    let pull: ServerResponse | undefined;
    const send = (): void => {
      sent += 1;
      if (sent <= 8) pull?.write(`{"status":"layer","id":"${sent}","progressDetail":{"current":${sent},"total":9}}\n`);
      else pull?.end();
    };
    await using daemon = await fakeDaemon(
      (_request, response) => {
        pull = response.writeHead(200);
        send();
      },
      { limits: { ...limits, transferMs: 500 } },
    );
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const received = (): void => {
      vi.advanceTimersByTime(400);
      send();
    };
    await daemon.engine.pullImage('prom/x:v1', received, forever).finally(() => vi.useRealTimers());
    expect(sent).toBe(9);
  });

  it('must end when nothing arrives any more', async () => {
    await using daemon = await fakeDaemon(
      (_request, response) => {
        response.writeHead(200).write('{"status":"Pulling"}\n');
      },
      { limits },
    );
    await expect(daemon.engine.pullImage('prom/x:v1', () => undefined, forever)).rejects.toThrow(
      'has not responded for 100 ms',
    );
  });

  it('must wait for its reader', async () => {
    await using daemon = await fakeDaemon(
      (_request, response) => response.writeHead(200).end(Buffer.alloc(1_000_000)),
      { limits: { ...limits, readMs: 500, transferMs: 500 } },
    );
    let bytes = 0;
    for await (const chunk of await daemon.engine.saveImages(['x:1'])) {
      if (bytes === 0) await new Promise((resolve) => setTimeout(resolve, 700));
      bytes += chunk.length;
    }
    expect(bytes).toBe(1_000_000);
  });

  it('that is followed may be silent for any time, and ends with its signal', async () => {
    const responses: ServerResponse[] = [];
    await using daemon = await fakeDaemon(
      (_request, response) => {
        responses.push(response.writeHead(200));
        response.flushHeaders();
      },
      { limits: { ...limits, readMs: 1_000 } },
    );
    const stop = new AbortController();
    setTimeout(() => stop.abort(), 2_000);
    const lines = [];
    for await (const line of daemon.engine.logs('x', { follow: true, signal: stop.signal })) lines.push(line);
    expect(lines).toEqual([]);
    expect(stop.signal.aborted).toBe(true);
  });
});

test('a resource that does not exist must be undefined, and nothing else', async () => {
  await using gone = await fakeDaemon(json(404, { message: 'no such thing' }));
  expect(await gone.engine.findVolume('v')).toBeUndefined();
  expect(await gone.engine.inspectContainer('x')).toBeUndefined();
  expect(await gone.engine.readLink('x', '/current')).toBeUndefined();
  await using used = await fakeDaemon(json(409, { message: 'in use' }));
  await expect(used.engine.findVolume('v')).rejects.toMatchObject({ code: 'conflict', message: 'in use' });
});
