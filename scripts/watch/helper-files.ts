import { basename, dirname } from 'node:path/posix';
import { Readable } from 'node:stream';
import { packEntries, unpackEntries } from '../engine/docker/tar.ts';
import type { ArchiveEntry, Engine, HelperSession } from '../engine/engine.ts';
import { baseLabels } from '../engine/labels.ts';
import type { DesiredConfigWriter } from '../plan/desired.ts';
import type { ConfigFiles, FileTools } from '../state/config-files.ts';
import { configWriterRoot } from '../state/names.ts';
import { helperScript } from './helper-script.ts';

/** The config files by way of a helper that stays while they are watched: a write by it takes a few milliseconds, by the engine's archive calls some fifty. */
export interface HelperFiles extends ConfigFiles, AsyncDisposable {
  /** Programs of the helper's image; stdout has all they print. */
  readonly tools: FileTools;
}

/** Starts the helper, with the carrier's volumes; rejects when its image has no shell. */
export async function openHelperFiles(
  engine: Engine,
  {
    stack,
    carrier,
    imageId,
  }: { readonly stack: string; readonly carrier: DesiredConfigWriter; readonly imageId: string },
): Promise<HelperFiles> {
  const session = await engine.openHelper({
    name: `${stack}-watch-${process.pid}-${Date.now().toString(36)}`,
    image: carrier.image,
    user: '0:0',
    entrypoint: ['/bin/sh', '-c'],
    args: [helperScript, 'sh', configWriterRoot],
    labels: baseLabels(stack, 'watch'),
    mounts: carrier.mounts,
  });
  const ask = conversation(session);
  const files: HelperFiles = {
    locate: () => undefined,
    async write(entries, cleared = []) {
      for (const path of cleared) await must(ask(['clear', path]));
      for (const batch of batches(entries)) {
        if (batch.kind === 'link') await must(ask(['link', batch.link.path, batch.link.to]));
        else {
          const archive = await packEntries(batch.entries);
          await must(ask(['put', String(archive.length)], archive));
        }
      }
    },
    async read(service, path) {
      const at = `${service}/${path}`;
      const { status, content } = await ask(['get', dirname(at), basename(at)]);
      if (status === 1) return undefined;
      if (status !== 0) throw new Error(`the helper could not read ${at}`);
      return unpackEntries(Readable.from([content]));
    },
    async readLink(service, path) {
      const { status, content } = await ask(['readlink', `${service}/${path}`]);
      return status === 0 ? content.toString('utf8').replace(/\n$/, '') : undefined;
    },
    async mirror(from, to, unwanted) {
      const { status, content } = await ask(['mirror', from, to]);
      if (status !== 0) throw new Error(`the helper could not link ${from}: ${content.toString('utf8').trim()}`);
      if (unwanted.length > 0) {
        await must(ask(['remove', String(unwanted.length), ...unwanted.map((path) => `${to}/${path}`)]));
      }
      return fingerprints(content.toString('utf8'));
    },
    tools: {
      imageId,
      container: session.container,
      async exec(argv, signal) {
        signal?.throwIfAborted();
        // A program under way hears of nothing: only the end of the helper ends it.
        const end = (): void => void session[Symbol.asyncDispose]().then(undefined, () => undefined);
        signal?.addEventListener('abort', end, { once: true });
        const { status, content } = await ask(['run', String(argv.length), ...argv])
          .catch((error: unknown) => {
            signal?.throwIfAborted();
            throw error;
          })
          .finally(() => signal?.removeEventListener('abort', end));
        return { exitCode: status, stdout: content.toString('utf8'), stderr: '' };
      },
    },
    [Symbol.asyncDispose]: () => session[Symbol.asyncDispose](),
  };
  try {
    await must(ask(['run', '1', 'true']));
  } catch (error) {
    await files[Symbol.asyncDispose]();
    throw error;
  }
  return files;
}

/** `MODE UID GID MD5` by path, from the two lists that `mirror` prints one after the other. */
function fingerprints(text: string): ReadonlyMap<string, string> {
  const owners = new Map<string, string>();
  const found = new Map<string, string>();
  for (const line of text.split('\n')) {
    const [, owner, owned] = /^(\d+ \d+ \d+) \.\/(.*)$/.exec(line) ?? [];
    if (owner !== undefined && owned !== undefined) owners.set(owned, owner);
    const [, sum, path] = /^([0-9a-f]{32}) [ *]\.\/(.*)$/.exec(line) ?? [];
    if (sum !== undefined && path !== undefined) found.set(path, `${owners.get(path)} ${sum}`);
  }
  return found;
}

interface Answer {
  readonly status: number;
  readonly content: Buffer;
}

type Ask = (words: readonly string[], bytes?: Uint8Array) => Promise<Answer>;

/** Sends requests one at a time and reads their answers. */
function conversation(session: HelperSession): Ask {
  const { line, bytes: take } = reader(session.output);
  let turn: Promise<unknown> = Promise.resolve();
  const exchange = async (words: readonly string[], bytes: Uint8Array | undefined): Promise<Answer> => {
    if (words.some((word) => word.includes('\n'))) throw new Error('a request to the helper holds a line break');
    await session.write(Buffer.from(`${words.join('\n')}\n`));
    if (bytes !== undefined) await session.write(bytes);
    const head = await line();
    const [status = NaN, size = NaN] = head.split(' ').map(Number);
    if (!Number.isInteger(status) || !Number.isInteger(size)) throw new Error(`the helper answers ${head}`);
    return { status, content: await take(size) };
  };
  return (words, bytes) => {
    const answer = turn.then(() => exchange(words, bytes));
    turn = answer.catch(() => undefined);
    return answer;
  };
}

/** Reads lines and so many bytes from what comes in pieces; rejects when it ends before. */
function reader(output: AsyncIterable<Buffer>) {
  const pieces = output[Symbol.asyncIterator]();
  let rest: Buffer = Buffer.alloc(0);
  const more = async (): Promise<Buffer> => {
    const { value, done } = await pieces.next();
    if (done === true) throw new Error('the helper has ended');
    return value;
  };
  return {
    async line(): Promise<string> {
      while (!rest.includes(0x0a)) rest = Buffer.concat([rest, await more()]);
      const end = rest.indexOf(0x0a);
      const text = rest.subarray(0, end).toString('utf8');
      rest = rest.subarray(end + 1);
      return text;
    },
    async bytes(size: number): Promise<Buffer> {
      const taken = [rest];
      let length = rest.length;
      while (length < size) {
        const piece = await more();
        taken.push(piece);
        length += piece.length;
      }
      const all = Buffer.concat(taken);
      rest = all.subarray(size);
      return all.subarray(0, size);
    },
  };
}

async function must(answer: Promise<Answer>): Promise<void> {
  const { status, content } = await answer;
  if (status !== 0) throw new Error(`the helper failed with status ${status}: ${content.toString('utf8').trim()}`);
}

type Batch =
  | { readonly kind: 'link'; readonly link: Extract<ArchiveEntry, { kind: 'link' }> }
  | { readonly kind: 'archive'; readonly entries: ArchiveEntry[] };

/** Entries in their order: links one by one, all others together. */
function batches(entries: readonly ArchiveEntry[]): readonly Batch[] {
  const all: Batch[] = [];
  for (const entry of entries) {
    const last = all.at(-1);
    if (entry.kind === 'link') all.push({ kind: 'link', link: entry });
    else if (last?.kind === 'archive') last.entries.push(entry);
    else all.push({ kind: 'archive', entries: [entry] });
  }
  return all;
}
