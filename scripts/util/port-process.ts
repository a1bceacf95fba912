import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

const listening = '0A';

/** The process of this host that listens on a TCP port, as `nginx (pid 4711)`; undefined when it cannot be seen (proc(5)). */
export function portProcess(port: number): string | undefined {
  const inodes = new Set([...socketsOn(port, '/proc/net/tcp'), ...socketsOn(port, '/proc/net/tcp6')]);
  if (inodes.size === 0) return undefined;
  for (const pid of readSilently(() => readdirSync('/proc')).filter((name) => /^\d+$/.test(name))) {
    const files = readSilently(() => readdirSync(`/proc/${pid}/fd`));
    const holds = files.some((fd) =>
      readSilently(() => [readlinkSync(`/proc/${pid}/fd/${fd}`)]).some((link) => inodes.has(link)),
    );
    if (holds)
      return `${readSilently(() => [readFileSync(`/proc/${pid}/comm`, 'utf8').trim()])[0] ?? 'a process'} (pid ${pid})`;
  }
  return undefined;
}

function socketsOn(port: number, table: string): string[] {
  const hex = port.toString(16).toUpperCase().padStart(4, '0');
  return readSilently(() => readFileSync(table, 'utf8').split('\n').slice(1)).flatMap((line) => {
    const [, local, , state, , , , , , inode] = line.trim().split(/\s+/);
    return state === listening && local?.endsWith(`:${hex}`) === true ? [`socket:[${inode}]`] : [];
  });
}

/** Processes come and go, and those of others cannot be looked into: what cannot be read is left out. */
function readSilently(read: () => string[]): string[] {
  try {
    return read();
  } catch {
    return [];
  }
}
