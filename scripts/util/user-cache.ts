import { homedir } from 'node:os';
import { join } from 'node:path';

/** The folder for what only saves this user time and may be deleted whenever: in XDG_CACHE_HOME or ~/.cache. */
export function userCache(env: Readonly<Record<string, string | undefined>>): string {
  const { XDG_CACHE_HOME: named, HOME: home } = env;
  return join(named || join(home || homedir(), '.cache'), 'promstack');
}
