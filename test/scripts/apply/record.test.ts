import { expect, test } from 'vitest';
import { recordRevision } from '../../../scripts/apply/record.ts';
import { targetName } from '../../../scripts/config/user-files.ts';
import type { Desired } from '../../../scripts/plan/desired.ts';
import { newestFolders, readHistory } from '../../../scripts/state/history.ts';
import { releaseEntries } from '../../../scripts/state/release-files.ts';
import { freeFolder, type ReleaseFolder } from '../../../scripts/state/release-folder.ts';
import { addSecret } from '../../../scripts/util/redaction.ts';
import type { RenderedFile } from '../../../stack/model.ts';
import { MemoryFiles } from '../../support/config-files.ts';
import { stackOf } from '../../support/memory-stack.ts';

const service = 'prometheus';
const keys = { alertmanager: { enabled: false } };

/** A stack of Prometheus whose revisions are written and recorded one after the other. */
class RecordedStack {
  readonly files = new MemoryFiles();
  #previous: Desired = { ...stackOf('none', keys), services: [] };

  async change(revision: string, refused?: string, own: readonly RenderedFile[] = []): Promise<void> {
    const history = await readHistory(this.files, service);
    const running = this.#previous.services[0]?.folder;
    const folder = freeFolder(revision, [
      ...(running === undefined ? [] : [running]),
      ...newestFolders(history, service),
    ]);
    const desired = withFiles(withFolder(stackOf(revision, keys), folder), own);
    await this.files.write([
      ...desired.services.flatMap((target) => releaseEntries(target, folder)),
      { kind: 'file', path: `${service}/check/secret`, content: Buffer.from('s'), mode: 0o400, uid: 0, gid: 0 },
    ]);
    await recordRevision({
      ...{ files: this.files, desired, previous: this.#previous, observed: { history }, refused },
      ...{ command: 'up', at: new Date(0), folders: new Map([[service, folder]]) },
    });
    if (refused === undefined) this.#previous = desired;
  }

  /** Removes the containers: only the volumes are left. */
  down(): void {
    this.#previous = { ...this.#previous, services: [] };
  }

  /** The revisions whose files are in the volume. */
  get stored(): readonly string[] {
    const files = this.files
      .paths()
      .flatMap((path) => /^prometheus\/releases\/\d+\/(\w+)\/.*yml$/.exec(path)?.[1] ?? []);
    return files.sort();
  }
}

function withFolder(desired: Desired, folder: ReleaseFolder): Desired {
  return { ...desired, services: desired.services.map((target) => ({ ...target, folder })) };
}

function withFiles(desired: Desired, own: readonly RenderedFile[]): Desired {
  return {
    ...desired,
    services: desired.services.map((target) => ({
      ...target,
      release: target.release && { ...target.release, files: [...target.release.files, ...own] },
    })),
  };
}

test('a removed file must have the name in the history that it had when it was added', async () => {
  const file = (path: string, origin: string): RenderedFile => {
    return { service, path, content: 'x', mode: 0o444, origin, isVerbatim: true };
  };
  const own = [
    file(`rules/user/${targetName('rules/a.yml', ['.yml'])}`, 'rules/a.yml'),
    file(`rules/user/${targetName('Mine and yours/b.yml', ['.yml'])}`, 'Mine and yours/b.yml'),
    file('web.yml', 'templates/prometheus/web.yml'),
    file('more/c.txt', 'elsewhere/c.txt'),
  ];
  const stack = new RecordedStack();
  await stack.change('r1');
  await stack.change('r2', undefined, own);
  await stack.change('r3');
  const restored = own.map(({ isVerbatim: _, ...file }) => ({ ...file, origin: 'release 2/r2' }));
  await stack.change('r2', undefined, restored);
  const { entries } = await readHistory(stack.files, service);
  const known = ['Mine and yours/b.yml', 'rules/a.yml', 'templates/prometheus/web.yml'];
  expect(entries.map(({ changed }) => changed).slice(1)).toEqual([
    expect.arrayContaining([...known, 'elsewhere/c.txt']),
    expect.arrayContaining([...known, 'prometheus/more/c.txt']),
    expect.arrayContaining([...known, 'prometheus/more/c.txt']),
  ]);
});

test('files that are the same as before the stack was taken down must not be listed as changed', async () => {
  const path = `rules/user/${targetName('rules/a.yml', ['.yml'])}`;
  const own = (content: string): readonly RenderedFile[] => [
    { service, path, content, mode: 0o444, origin: 'rules/a.yml', isVerbatim: true },
  ];
  const stack = new RecordedStack();
  await stack.change('r1', undefined, own('x'));
  stack.down();
  await stack.change('r1', undefined, own('x'));
  stack.down();
  await stack.change('r2', undefined, own('y'));
  stack.down();
  await stack.change('r3', 'it failed');
  const { entries } = await readHistory(stack.files, service);
  expect(entries.map(({ changed }) => changed).slice(1)).toEqual([[], ['rules/a.yml'], ['rules/a.yml']]);
  expect(stack.stored).toContain('r3');
});

test('a reason must be stored without the secrets that it quotes', async () => {
  const secret = 'hunter2-of-the-telegram-bot';
  addSecret(secret);
  const stack = new RecordedStack();
  await stack.change('r1', `starting alertmanager: Post "https://api.telegram.org/bot${secret}/send"`);
  const { entries } = await readHistory(stack.files, service);
  expect(entries[0]?.refused).toContain('starting alertmanager');
  expect(JSON.stringify(entries)).not.toContain(secret);
});

test('files that no revision needs any more must be deleted, since they may have secrets in them', async () => {
  const stack = new RecordedStack();
  for (let at = 10; at < 30; at++) await stack.change(`r${at}`);
  expect(stack.stored).toEqual(Array.from({ length: 10 }, (_, at) => `r${20 + at}`));
  expect(stack.files.paths()).not.toContain('prometheus/check/secret');
});

test('files of a revision that was rolled back must be deleted, and those that run kept', async () => {
  const stack = new RecordedStack();
  await stack.change('r1');
  await stack.change('r2', 'it failed');
  expect(stack.stored).toEqual(['r1']);
  await stack.change('r3');
  expect(stack.stored).toEqual(['r1', 'r3']);
});
