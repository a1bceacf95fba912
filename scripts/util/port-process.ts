import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

const listening = '0A';

/** The process of this host that listens on a TCP port, as `nginx (pid 4711)`; undefined when it is not visible (proc(5)). */
export function portProcess(port: number): string | undefined {
  const inodes = new Set([...socketsOn(port, '/proc/net/tcp'), ...socketsOn(port, '/proc/net/tcp6')]);
  if (inodes.size === 0) return undefined;
  for (const pid of readIfPossible(() => readdirSync('/proc')).filter((name) => /^\d+$/.test(name))) {
    const files = readIfPossible(() => readdirSync(`/proc/${pid}/fd`));
    const holds = files.some((fd) =>
      readIfPossible(() => [readlinkSync(`/proc/${pid}/fd/${fd}`)]).some((link) => inodes.has(link)),
    );
    if (holds)
      return `${readIfPossible(() => [readFileSync(`/proc/${pid}/comm`, 'utf8').trim()])[0] ?? 'a process'} (pid ${pid})`;
  }
  return undefined;
}

function socketsOn(port: number, table: string): string[] {
  const hex = port.toString(16).toUpperCase().padStart(4, '0');
  return readIfPossible(() => readFileSync(table, 'utf8').split('\n').slice(1)).flatMap((line) => {
    const [, local, , state, , , , , , inode] = line.trim().split(/\s+/);
    return state === listening && local?.endsWith(`:${hex}`) === true ? [`socket:[${inode}]`] : [];
  });
}

/** Empty when it cannot be read: processes end, and those of other users are not accessible. */
function readIfPossible(read: () => string[]): string[] {
  try {
    return read();
  } catch {
    return [];
  }
}
