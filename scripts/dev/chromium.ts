import { execa } from 'execa';

/** A page of a browser. */
export interface Page {
  /** Opens an address in a window of this size, in pixels. */
  open(url: string, size: Size): Promise<void>;
  resize(size: Size): Promise<void>;
  /** The value of an expression in the page. */
  evaluate<T>(expression: string): Promise<T>;
  /** A PNG of the window. */
  screenshot(): Promise<Buffer>;
}

interface Size {
  readonly width: number;
  readonly height: number;
}

/** The version of Chromium on this host, if there is one. */
export async function chromiumVersion(): Promise<string | undefined> {
  const { stdout, exitCode } = await execa('chromium', ['--version'], { reject: false });
  return exitCode === 0 ? stdout.trim() : undefined;
}

/** Runs something with a page of Chromium, which is driven by the DevTools protocol over two pipes. */
export async function withPage<T>(use: (page: Page) => Promise<T>): Promise<T> {
  const chromium = execa(
    'chromium',
    ['--headless', '--no-sandbox', '--hide-scrollbars', '--disable-gpu', '--remote-debugging-pipe', 'about:blank'],
    { stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'], reject: false, encoding: 'buffer', buffer: false },
  );
  try {
    return await use(await openPage(protocolOf(chromium)));
  } finally {
    chromium.kill();
    await chromium;
  }
}

type Send = <T>(method: string, params?: object, session?: string) => Promise<T>;

/** Messages are JSON that ends with a null byte. */
function protocolOf(chromium: { readonly stdio: readonly unknown[] }): Send {
  const [, , , output, input] = chromium.stdio as [
    unknown,
    unknown,
    unknown,
    NodeJS.WritableStream,
    NodeJS.ReadableStream,
  ];
  const waiting = new Map<number, { resolve(result: never): void; reject(error: Error): void }>();
  let received = '';
  let last = 0;
  input.setEncoding('utf8');
  input.on('data', (part: string) => {
    const messages = (received + part).split('\0');
    received = messages.pop() ?? '';
    for (const text of messages) {
      const { id, result, error } = JSON.parse(text) as { id?: number; result?: never; error?: { message: string } };
      const caller = waiting.get(id ?? 0);
      if (error === undefined) caller?.resolve(result as never);
      else caller?.reject(new Error(error.message));
      waiting.delete(id ?? 0);
    }
  });
  return (method, params = {}, sessionId = undefined) =>
    new Promise((resolve, reject) => {
      last += 1;
      waiting.set(last, { resolve, reject });
      output.write(`${JSON.stringify({ id: last, method, params, sessionId })}\0`);
    });
}

async function openPage(send: Send): Promise<Page> {
  const { targetId } = await send<{ targetId: string }>('Target.createTarget', { url: 'about:blank' });
  const { sessionId } = await send<{ sessionId: string }>('Target.attachToTarget', { targetId, flatten: true });
  const call = <T>(method: string, params?: object): Promise<T> => send<T>(method, params, sessionId);
  const resize = async (size: Size): Promise<void> => {
    await call('Emulation.setDeviceMetricsOverride', { ...size, deviceScaleFactor: 1, mobile: false });
  };
  return {
    resize,
    open: async (url, size) => {
      await resize(size);
      await call('Page.navigate', { url });
    },
    evaluate: async <T>(expression: string): Promise<T> => {
      const { result, exceptionDetails } = await call<{ result: { value: T }; exceptionDetails?: { text: string } }>(
        'Runtime.evaluate',
        { expression, returnByValue: true, awaitPromise: true },
      );
      if (exceptionDetails !== undefined) throw new Error(`${exceptionDetails.text} in ${expression}`);
      return result.value;
    },
    screenshot: async () => {
      const { data } = await call<{ data: string }>('Page.captureScreenshot', { format: 'png' });
      return Buffer.from(data, 'base64');
    },
  };
}
