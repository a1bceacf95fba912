import type { ArchiveEntry } from '../../scripts/engine/engine.ts';
import type { ConfigFiles } from '../../scripts/state/config-files.ts';

/** Config volumes in memory, with the engine's way of unpacking: whatever is not a folder over a folder takes its place. */
export class MemoryFiles implements ConfigFiles {
  readonly #entries = new Map<string, ArchiveEntry>();

  locate(): void {}

  async write(entries: readonly ArchiveEntry[], cleared: readonly string[] = []): Promise<void> {
    for (const path of cleared) this.#remove(path);
    for (const entry of entries) {
      const path = entry.path.replace(/\/$/, '');
      const isFolderAgain = entry.kind === 'directory' && this.#entries.get(path)?.kind === 'directory';
      if (!isFolderAgain) this.#remove(path);
      this.#entries.set(path, entry);
    }
  }

  async read(service: string, path: string): Promise<readonly ArchiveEntry[] | undefined> {
    const asked = `${service}/${path}`;
    const above = asked.slice(0, asked.lastIndexOf('/') + 1);
    const found = [...this.#entries].filter(([at]) => at === asked || at.startsWith(`${asked}/`));
    return found.length === 0 ? undefined : found.map(([at, entry]) => ({ ...entry, path: at.slice(above.length) }));
  }

  readAside(service: string, path: string): Promise<readonly ArchiveEntry[] | undefined> {
    return this.read(service, path);
  }

  async readLink(service: string, path: string): Promise<string | undefined> {
    const entry = this.#entries.get(`${service}/${path}`);
    return entry?.kind === 'link' ? entry.to : undefined;
  }

  /** All paths, sorted. */
  paths(): readonly string[] {
    return [...this.#entries.keys()].sort();
  }

  /** Truncates a file, like an interrupted write. */
  truncate(path: string, bytes: number): void {
    const entry = this.#entries.get(path);
    if (entry?.kind !== 'file') throw new Error(`there is no file ${path}`);
    this.#entries.set(path, { ...entry, content: entry.content.subarray(0, bytes) });
  }

  #remove(path: string): void {
    for (const at of [...this.#entries.keys()]) {
      if (at === path || at.startsWith(`${path}/`)) this.#entries.delete(at);
    }
  }
}
