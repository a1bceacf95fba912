import { Agent, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it, vi } from 'vitest';
import { sendRequest } from '../../../scripts/util/http.ts';

it('many requests at a time with one signal must print no warning of Node', async () => {
  const waiting: (() => void)[] = [];
  const server = createServer((_, response) => {
    waiting.push(() => response.end());
    if (waiting.length === 20) for (const respond of waiting) respond();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const warn = vi.spyOn(process, 'emitWarning').mockReturnValue();
  try {
    const { signal } = new AbortController();
    const url = `http://127.0.0.1:${port}/`;
    const options = { method: 'GET', headers: {}, agent: new Agent(), timeoutMs: 30_000, signal };
    const all = Array.from({ length: 20 }, () => sendRequest(url, options));
    expect((await Promise.all(all)).map(({ status }) => status)).toEqual(Array(20).fill(200));
    expect(warn).not.toHaveBeenCalled();
  } finally {
    warn.mockRestore();
    server.close();
  }
});
