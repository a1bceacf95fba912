import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import axe from 'axe-core';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';

/** Chromium on this host; undefined when it is not installed. */
export const chromiumPath = (process.env['PATH'] ?? '')
  .split(delimiter)
  .map((folder) => join(folder, 'chromium'))
  .find((path) => existsSync(path));

export function launchChromium(): Promise<Browser> {
  return chromium.launch({ executablePath: chromiumPath ?? 'chromium', args: ['--no-sandbox'] });
}

/** A page and what its console complained about: errors of scripts, refused loads, violations of its policy. */
export interface OpenPage {
  readonly page: Page;
  readonly complaints: string[];
  [Symbol.asyncDispose](): Promise<void>;
}

export async function openPage(
  browser: Browser,
  url: string,
  { initScript, ...options }: BrowserContextOptions & { readonly initScript?: string } = {},
): Promise<OpenPage> {
  const context = await browser.newContext({
    viewport: { width: 1280, height: 900 },
    reducedMotion: 'reduce',
    ...options,
  });
  if (initScript !== undefined) await context.addInitScript(initScript);
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(String(error.stack)));
  page.on('dialog', (dialog) => {
    complaints.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  await page.goto(url);
  return { page, complaints, [Symbol.asyncDispose]: () => context.close() };
}

/** What axe finds wrong with a page as it is shown now: the rule and the elements. */
export async function accessibilityFaults(page: Page): Promise<readonly string[]> {
  // By the DevTools protocol, which the page's policy does not govern.
  await page.evaluate(`if (window.axe === undefined) { ${axe.source} }`);
  return page.evaluate<readonly string[]>(
    `axe.run().then(({ violations }) =>
      violations.flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => id + ': ' + html.slice(0, 200) + ' ' + failureSummary)))`,
  );
}

/** Measures from the start of the page to the frame with the first rows, and from each event to the frame that shows it. */
export const timing = `
  window.updates = [];
  window.afterFrame = (then) => requestAnimationFrame(() => {
    const channel = new MessageChannel();
    channel.port1.onmessage = () => then(performance.now());
    channel.port2.postMessage('');
  });
  new MutationObserver((_, observer) => {
    if (document.querySelector('.groups .row') === null) return;
    observer.disconnect();
    afterFrame((at) => { window.firstRows = at; });
  }).observe(document, { childList: true, subtree: true });
  const add = EventSource.prototype.addEventListener;
  EventSource.prototype.addEventListener = function (type, listener) {
    add.call(this, type, (event) => {
      const from = performance.now();
      listener(event);
      if (type === 'change') afterFrame((at) => window.updates.push(at - from));
    });
  };
`;
