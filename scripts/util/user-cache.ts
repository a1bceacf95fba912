import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';

/**
 * The folder for what only saves this user time and may be deleted whenever: in XDG_CACHE_HOME or ~/.cache. Undefined where
 * neither is an absolute path, since a cache is not to land wherever promstack is called from.
 */
export function userCache(env: Readonly<Record<string, string | undefined>>): string | undefined {
  const { XDG_CACHE_HOME: named = '', HOME: home = homeOfUser() } = env;
  // A relative path there is to be ignored: https://specifications.freedesktop.org/basedir-spec/latest/
  if (isAbsolute(named)) return join(named, 'promstack');
  return isAbsolute(home) ? join(home, '.cache', 'promstack') : undefined;
}

/** A user whom the system does not know, as in some containers, has none. */
function homeOfUser(): string {
  try {
    return homedir();
  } catch {
    return '';
  }
}
