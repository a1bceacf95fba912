import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { expect, it } from 'vitest';
import { PageFeed } from '../../../scripts/ui/page-feed.ts';
import type { PageState } from '../../../scripts/ui/page-state.ts';
import { eventually } from '../../support/eventually.ts';
import { smallPageState } from '../../support/page-state.ts';
import { openPageStream } from '../../support/page-stream.ts';

/** A feed of states of about 1 MB, each of which differs as a whole from the one before; `tick` lets a second pass. */
async function servedFeed() {
  const controller = new AbortController();
  let second = 0;
  let starts = 0;
  let pauses = 0;
  let wake: () => void = () => undefined;
  const clock = {
    now: () => second * 1_000,
    sleep: (_: number, signal?: AbortSignal) =>
      new Promise<void>((resolve, reject) => {
        wake = resolve;
        signal?.addEventListener('abort', () => reject(signal.reason), { once: true });
      }),
  };
  const stateNow = (): PageState => {
    const small = smallPageState();
    const header = {
      ...small.header,
      at: second,
      problems: [{ state: 'notice', message: `${second} `.repeat(300_000) }],
    };
    return { ...small, header: { ...small.header, ...header } as PageState['header'] };
  };
  const source = {
    start: () => {
      starts += 1;
    },
    isComplete: true,
    snapshot: () => ({ state: stateNow(), history: {} }),
    pause: () => {
      pauses += 1;
    },
  };
  const feed = new PageFeed(source, { clock, signal: controller.signal });
  const responses: ServerResponse[] = [];
  const server = createServer((_, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    responses.push(response);
    feed.add(response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const running = feed.run();
  return {
    feed,
    responses,
    port: (server.address() as AddressInfo).port,
    get starts() {
      return starts;
    },
    get pauses() {
      return pauses;
    },
    tick: async () => {
      second += 1;
      wake();
      await new Promise((resolve) => setImmediate(resolve));
    },
    [Symbol.asyncDispose]: async () => {
      controller.abort();
      await running;
      server.closeAllConnections();
      server.close();
    },
  };
}

it('a page that does not read must be disconnected, use a bounded buffer and not hold up the others', async () => {
  await using served = await servedFeed();
  const hanging = connect(served.port, '127.0.0.1');
  hanging.pause();
  hanging.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
  await eventually(() => expect(served.feed.clients).toBe(1));
  await using reading = await openPageStream(`http://127.0.0.1:${served.port}/`);
  const [stuck] = served.responses;
  let longest = 0;
  for (let second = 1; second <= 20 && served.feed.clients > 1; second += 1) {
    await served.tick();
    longest = Math.max(longest, stuck?.writableLength ?? 0);
    await eventually(() => expect(reading.state?.header.at).toBe(second));
  }
  expect(served.feed.clients).toBe(1);
  expect(stuck?.destroyed).toBe(true);
  // A snapshot and a change.
  expect(longest).toBeLessThan(3_000_000);
  hanging.destroy();
});

it('a page that reads late must get a snapshot of what it missed', async () => {
  await using served = await servedFeed();
  const late = connect(served.port, '127.0.0.1');
  late.pause();
  late.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
  await eventually(() => expect(served.feed.clients).toBe(1));
  let last = 0;
  const tick = async (): Promise<number> => {
    await served.tick();
    last += 1;
    return served.responses[0]?.writableLength ?? 0;
  };
  // Until the buffers of the system are full: nothing more leaves, a second later too.
  while (!((await tick()) > 0 && (await tick()) > 0)) expect(last).toBeLessThan(200);
  await tick();
  let text = '';
  late.setEncoding('utf8');
  late.on('data', (chunk: string) => {
    text += chunk;
  });
  late.resume();
  await eventually(() => expect(text.match(/^event: \w+$/gm)?.at(-1)).toBe('event: snapshot'));
  await eventually(() => expect(text).toContain(`"at":${last},`));
  expect(text).not.toContain(`"at":${last - 1},`);
  late.destroy();
});

it('a feed must sample only while a page listens', async () => {
  await using served = await servedFeed();
  await served.tick();
  expect({ starts: served.starts, pauses: served.pauses }).toEqual({ starts: 0, pauses: 1 });
  const page = await openPageStream(`http://127.0.0.1:${served.port}/`);
  await eventually(() => expect(page.snapshots).toBe(1));
  expect(served.starts).toBe(1);
  await page[Symbol.asyncDispose]();
  await eventually(() => expect(served.feed.clients).toBe(0));
  await served.tick();
  await eventually(() => expect(served.pauses).toBe(2));
  const { starts } = served;
  await served.tick();
  expect(served.starts).toBe(starts);
});
