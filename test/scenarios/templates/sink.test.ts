import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connect } from '../../../scripts/engine/connect.ts';
import type { ArchiveEntry, Engine, HelperRequest } from '../../../scripts/engine/engine.ts';
import { stackSchema } from '../../../stack/config.ts';
import { sink } from '../../../stack/sink/service.ts';
import { removeNetwork } from '../../support/engine.ts';
import { eventually } from '../../support/eventually.ts';
import { shippedFiles } from '../../support/shipped.ts';
import { freePorts } from '../../support/stack-folder.ts';
import { imageOf } from '../../support/tools.ts';

/** The sink as in a stack: read-only, unprivileged, with its files in a read-only volume. */
interface RunningSink extends AsyncDisposable {
  readonly url: string;
  /** Every line it has written. */
  lines(): Promise<readonly string[]>;
}

async function startSink(): Promise<RunningSink> {
  const engine = await connect({ env: process.env });
  const undo: (() => Promise<void>)[] = [async () => engine[Symbol.asyncDispose]()];
  const close = async (): Promise<void> => {
    for (const step of undo) await step();
  };
  try {
    const name = `test-sink-${randomBytes(4).toString('hex')}`;
    const [port = 0] = await freePorts(1);
    const image = await imageOf(engine, 'pushgateway');
    const network = await engine.createNetwork(name, {});
    undo.unshift(() => removeNetwork(engine, { id: network, name }));
    await engine.createVolume(name, {});
    undo.unshift(() => engine.removeVolume(name));
    const helper = await engine.createHelper(carrier(name, image));
    undo.unshift(() => engine.removeContainer(helper));
    await engine.putFiles(helper, '/volume', entries());
    const spec = sink.container(stackSchema.parse({ pushgateway: { image }, sink: { enabled: true, port } }));
    const id = await engine.createContainer({ name, spec, labels: {}, network: name, volumes: [name] });
    undo.unshift(() => engine.removeContainer(id));
    await engine.startContainer(id);
    const url = `http://127.0.0.1:${port}`;
    await eventually(async () => expect((await fetch(url)).status).toBe(200));
    return { url, lines: () => linesOf(engine, id), [Symbol.asyncDispose]: close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** A container that is never started: files reach the volume through it. */
function carrier(name: string, image: string): HelperRequest {
  return {
    name: `${name}-files`,
    image,
    user: '0:0',
    entrypoint: ['/bin/true'],
    args: [],
    labels: {},
    mounts: [{ volume: name, target: '/volume', readOnly: false }],
  };
}

function entries(): readonly ArchiveEntry[] {
  const owner = { uid: 65534, gid: 65534 };
  const folders = ['current', 'current/www', 'current/www/cgi-bin'];
  return [
    ...folders.map((path) => ({ kind: 'directory' as const, path, mode: 0o755, ...owner })),
    ...Object.entries(shippedFiles(/^sink\/www\//)).map(([path, text]) => ({
      kind: 'file' as const,
      path: path.replace('sink/', 'current/'),
      content: Buffer.from(text),
      mode: path.includes('cgi-bin/') ? 0o555 : 0o444,
      ...owner,
    })),
  ];
}

async function linesOf(engine: Engine, id: string): Promise<readonly string[]> {
  const lines: string[] = [];
  for await (const { text } of engine.logs(id, {})) lines.push(text);
  return lines;
}

describe('the sink', () => {
  let running: RunningSink;
  beforeAll(async () => {
    running = await startSink();
  });
  afterAll(async () => {
    await running?.[Symbol.asyncDispose]();
  });

  const notify = (init: RequestInit): Promise<Response> => fetch(`${running.url}/cgi-bin/notify`, init);
  /** The lines one request added. */
  const added = async (body: string): Promise<{ status: number; lines: readonly string[] }> => {
    const before = (await running.lines()).length;
    const { status } = await notify({ method: 'POST', body });
    const lines = async () => (await running.lines()).slice(before);
    if (status === 200) await eventually(async () => expect(await lines()).toHaveLength(1));
    return { status, lines: await lines() };
  };

  it('must have a page that explains it', async () => {
    const page = await (await fetch(running.url)).text();
    expect(page).toContain('/cgi-bin/notify');
    expect(page).toContain('promstack logs -f sink');
  });

  it('must log a notification as one line, byte for byte', async () => {
    const body = '{"status":"firing","text":"$(id) `id` %s %d \\n \\u001b[31m ünï","path":"C:\\\\"}';
    expect(await added(body)).toEqual({ status: 200, lines: [body] });
  });

  it('must log JSON over several lines as one line', async () => {
    expect(await added('\n{\r\n  "a":\t1\n}\n')).toEqual({ status: 200, lines: ['{    "a": 1 }'] });
  });

  it('must remove terminal control characters', async () => {
    expect(await added('{"a":"\u001b[2J\u0007\u0000\u007f"}')).toEqual({ status: 200, lines: ['{"a":"[2J"}'] });
  });

  it('must separate concurrent notifications of any length', async () => {
    // Eight at a time: busybox lets nine connections wait, and Alertmanager tries again what was turned away.
    const waves = Array.from({ length: 5 }, (_, wave) =>
      Array.from({ length: 8 }, (_, at) => JSON.stringify({ wave, at, pad: String(at).repeat(100_000) })),
    );
    const before = (await running.lines()).length;
    for (const wave of waves) {
      const statuses = await Promise.all(wave.map(async (body) => (await notify({ method: 'POST', body })).status));
      expect(statuses).toEqual(wave.map(() => 200));
    }
    const bodies = waves.flat();
    // The log may be read in the middle of a line.
    await eventually(async () => {
      const lines = (await running.lines()).slice(before);
      expect(lines.filter((line) => !bodies.includes(line)).map((line) => line.slice(0, 40))).toEqual([]);
      expect(new Set(lines).size).toBe(bodies.length);
    }, 10_000);
  });

  it('must reject other requests, and log nothing', async () => {
    const before = (await running.lines()).length;
    const refused = async (init: RequestInit): Promise<readonly [number, string]> => {
      const response = await notify(init);
      return [response.status, (await response.text()).trim()];
    };
    expect(await refused({})).toEqual([405, 'Use POST.']);
    // What busybox's web server does not know it answers itself.
    expect((await refused({ method: 'PUT', body: '{}' }))[0]).toBeGreaterThanOrEqual(400);
    expect(await refused({ method: 'POST', body: 'firing' })).toEqual([400, 'The body must be a JSON object.']);
    expect(await refused({ method: 'POST', body: '' })).toEqual([411, 'Content-Length is required.']);
    expect((await notify({ method: 'POST', body: '{'.padEnd(8_388_609) }).catch(closedEarly)).status).toBe(413);
    expect((await running.lines()).length).toBe(before);
  });
});

/** A server that refuses a long body by its length alone may hang up before the sender is done. */
function closedEarly(error: unknown): { readonly status: number } {
  if (error instanceof TypeError) return { status: 413 };
  throw error;
}
