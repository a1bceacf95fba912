import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { packageRoot } from '../../scripts/util/package-root.ts';
import { accessibilityFaults, chromiumPath, launchChromium, openPage } from '../support/browser.ts';
import { engineProxy } from '../support/engine-proxy.ts';
import { eventually } from '../support/eventually.ts';
import { isFull } from '../support/shares.ts';
import { type StackFolder, stackFolder } from '../support/stack-folder.ts';
import { watching } from '../support/watching.ts';

// The page of `promstack ui` on a real stack: each state is made real and seen in a browser. Its pictures are those of docs/ui.md.

const pictures = join(packageRoot(), 'docs', 'ui');
const takesPictures = (process.env['PROMSTACK_SCREENSHOTS'] ?? '') !== '';

const keys = {
  pushgateway: { ttl: '1h' },
  prometheus: {
    scrape_interval: '1s',
    evaluation_interval: '1s',
    rules: ['rules.yml'],
    scrape_configs: [{ job_name: 'web', static_configs: [{ targets: ['127.0.0.1:1'] }] }],
  },
  alertmanager: {
    receivers: [{ name: 'on-call', webhook_configs: [{ url: 'http://127.0.0.1:1/' }] }],
    route: {
      receiver: 'sink',
      group_wait: '1s',
      group_interval: '2s',
      routes: [{ matchers: ['severity="page"'], receiver: 'on-call' }],
    },
  },
};

function rules(expr: string): string {
  return `groups:
  - name: disks
    rules:
      - alert: DiskFull
        expr: ${expr}
        labels: {severity: page}
        annotations: {summary: The disk of db-1 is 97 % full}
      - alert: BackupLate
        expr: vector(1)
        labels: {severity: info}
        annotations: {summary: The last backup is older than a day}
      - record: failing
        expr: up * on (nothing) up
`;
}

test('every state of a stack must be seen on the page', async ({ skip }) => {
  skip(!isFull && !takesPictures, 'only `npm run test:full` runs it');
  skip(chromiumPath === undefined, 'there is no chromium on this host');
  await using proxy = await engineProxy();
  await using stack = await stackFolder(keys);
  await stack.write('rules.yml', rules('vector(0.97) > 0.9'));
  expect((await stack.run('up')).stderr).not.toContain('error');
  await using ui = await startPage(stack, { DOCKER_HOST: `unix://${proxy.path}` });
  const browser = await launchChromium();
  try {
    await using opened = await openPage(browser, ui.url);
    const { page, complaints } = opened;
    const node = (id: string): Promise<string> => page.locator(`.stage.${id} .node`).innerText();
    const sees = (selector: string, text: string | RegExp): Promise<void> =>
      page.locator(selector).filter({ hasText: text }).first().waitFor({ timeout: 60_000 });

    // Pushes: one group is accepted; another one is refused, since its type contradicts the first.
    await push(stack, 'backup/instance/db-1', '# TYPE backup_bytes gauge\nbackup_bytes 12\n');
    await push(stack, 'snmp/instance/10.40.80.1', 'interfaces_up 24\n');
    expect(await push(stack, 'snmp/instance/10.40.80.1', '# TYPE backup_bytes counter\nbackup_bytes 3\n')).toBe(400);
    await sees('.groups .row', /refused.*snmp/s);
    await sees('.groups .row', /pushed.*backup/s);
    await sees('.stage.sources .node', '1 refused');
    await page.locator('.groups .row').filter({ hasText: 'backup' }).click();
    await sees('.details', /backup_bytes.*12/s);
    await page.keyboard.press('Escape');

    // A target that is down, a rule that fails, alerts that fire, a receiver that cannot be reached.
    await sees('.targets .row', /down.*web.*connection refused/s);
    await sees('.stage.targets .node', '1 down');
    await sees('.rules .row', /failing.*failing/s);
    await sees('.alerts .row', /firing.*DiskFull.*on-call/s);
    await sees('.receivers .row', /failing.*on-call/s);
    await page.locator('.receivers .row').filter({ hasText: 'on-call' }).click();
    await sees('.details .notifications li', /failed.*DiskFull.*connection refused/s);
    await page.keyboard.press('Escape');
    await sees('.receivers .row', /delivered.*sink/s);
    await eventually(async () =>
      expect(await page.locator('.rate').allInnerTexts()).not.toContain(expect.stringMatching(/–/)),
    );

    // Silenced on the page itself.
    await page.locator('.alerts .row').filter({ hasText: 'BackupLate' }).click();
    await page.getByRole('button', { name: 'Silence…' }).click();
    await page.locator('dialog input').fill('known, ticket 17');
    await page.getByRole('button', { name: 'Silence', exact: true }).click();
    await sees('.details', /silenced by .*known, ticket 17/s);
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Dismiss' }).click();
    await sees('.alerts .row', /silenced.*BackupLate/s);
    await sees('.silences .row', 'BackupLate');

    // Drift: stack.yml was edited and not applied.
    await sees('.timeline .row', 'no drift');
    await stack.configure({ ...keys, prometheus: { ...keys.prometheus, scrape_interval: '2s' } });
    await sees('.timeline .row', /drift.*1 difference/s);
    await sees('.problems', 'the running config differs from stack.yml');

    // watch applies it, and refuses the next edit.
    {
      await using watch = watching(stack);
      await watch.next('applied');
      await sees('.timeline .row', 'no drift');
      await stack.write('rules.yml', rules('vector(0.97) >'));
      await watch.next('invalid');
      await sees('.timeline .row', /refused.*watch.*rules\.yml:/s);
      await page.locator('.timeline .row').filter({ hasText: 'rules.yml:' }).first().click();
      await sees('.details .mistake', 'rules.yml:');
      expect(await page.locator('.details .mistake pre').first().innerText()).toContain('vector(0.97) >');
      await picture(page, 'refused-edit', { width: 1280, height: 800, colorScheme: 'dark' });
      await page.keyboard.press('Escape');
      await stack.write('rules.yml', rules('vector(0.98) > 0.9'));
      await watch.next('applied');
    }
    await picture(page, 'light', { width: 1280, height: 1000, colorScheme: 'light' });
    await picture(page, 'narrow', { width: 360, height: 1000, colorScheme: 'light' });
    expect(await accessibilityFaults(page)).toEqual([]);

    // What changed between two revisions, and back to the one before.
    await page.getByRole('button', { name: 'Compare' }).click();
    await sees('.details', /vector\(0\.98\)/);
    await page.keyboard.press('Escape');
    const before = page.locator('.timeline .row').filter({ hasText: 'past' }).first();
    const revision = (await before.locator('.code').innerText()).trim();
    await before.click();
    await page.getByRole('button', { name: 'Roll back to it…' }).click();
    await page.getByRole('button', { name: 'Roll back', exact: true }).click();
    await sees('.timeline .row', new RegExp(`running.*${revision}.*rollback`, 's'));
    await page.keyboard.press('Escape');

    // The check of the pipeline, hop by hop.
    await page.getByRole('button', { name: 'Verify…' }).click();
    await page.getByRole('button', { name: 'Verify', exact: true }).click();
    // The canary arrives, and the check finds what else is broken.
    await sees('.verification .outcome', 'failed');
    await sees('.hops li', /passed.*received the notification/s);
    await sees('.hops li', /failed.*routes lead to working receivers.*on-call/s);
    await page.getByRole('button', { name: 'Dismiss' }).click();
    await picture(page, 'dark', { width: 1920, height: 1100, colorScheme: 'dark' });

    // A group is deleted.
    await page.locator('.groups .row').filter({ hasText: 'snmp' }).click();
    await page.getByRole('button', { name: 'Delete group…' }).click();
    await page.getByRole('button', { name: 'Delete group', exact: true }).click();
    await sees('.details', 'Gone');
    await page.keyboard.press('Escape');
    await eventually(async () => expect(await node('sources')).toContain('none refused'));

    // A server that is stopped, and an engine that is away.
    expect((await stack.run('stop', 'pushgateway')).exitCode).toBe(0);
    await sees('.stage.pushgateway .node', 'stopped');
    await sees('.problems', /promstack start pushgateway/);
    expect((await stack.run('start', 'pushgateway')).exitCode).toBe(0);
    await sees('.stage.pushgateway .node', 'ready');
    await proxy.stop();
    await sees('.banner', 'The container engine cannot be reached');
    // What was known stays on the page.
    await sees('.alerts .row', 'DiskFull');
    await proxy.start();
    await page.locator('.banner').filter({ hasText: 'engine' }).waitFor({ state: 'detached' });
    await sees('.stage.prometheus .node', /ready|notice|problem/);

    // The page's own server.
    await ui.end();
    await sees('.banner', 'The server of this page does not answer');
    expect(complaints.filter((text) => !text.includes('ERR_'))).toEqual([]);
  } finally {
    await browser.close();
  }
}, 600_000);

async function push(stack: StackFolder, group: string, body: string): Promise<number> {
  const response = await fetch(stack.url('pushgateway', `/metrics/job/${group}`), { method: 'POST', body });
  return response.status;
}

/** `promstack ui`; its first line is the URL. */
async function startPage(stack: StackFolder, env: Readonly<Record<string, string>>) {
  const running = stack.start(['ui', '--no-open', '--allow-changes'], env);
  if (running.stdout === null) throw new Error('ui has an output');
  const url = await new Promise<string>((resolve, reject) => {
    createInterface(running.stdout as NodeJS.ReadableStream).once('line', resolve);
    void running.then(({ stderr }) => reject(new Error(`ui ended: ${stderr}`)));
  });
  const end = async (): Promise<void> => {
    running.kill('SIGINT');
    await running;
  };
  return { url, end, [Symbol.asyncDispose]: end };
}

/** Writes a picture for docs/ui.md, with PROMSTACK_SCREENSHOTS=1: each run shows other times. */
async function picture(
  page: Page,
  name: string,
  { colorScheme, ...size }: { width: number; height: number; colorScheme: 'light' | 'dark' },
): Promise<void> {
  if (!takesPictures) return;
  mkdirSync(pictures, { recursive: true });
  const before = page.viewportSize();
  await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
  await page.setViewportSize(size);
  // The lines are drawn again for the new colours and width.
  await page.evaluate('scrollTo(0, 0)');
  await page.evaluate('new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))');
  await page.screenshot({ path: join(pictures, `${name}.png`) });
  await page.emulateMedia({ colorScheme: 'light' });
  if (before !== null) await page.setViewportSize(before);
}
