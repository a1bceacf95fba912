import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';

/**
 * The user's cache folder, in XDG_CACHE_HOME or ~/.cache; it may be deleted at any time. Undefined when neither is an
 * absolute path, so that no cache is written to the working directory.
 */
export function userCache(env: Readonly<Record<string, string | undefined>>): string | undefined {
  const { XDG_CACHE_HOME: configured = '', HOME: home = homeOfUser() } = env;
  // A relative path must be ignored: https://specifications.freedesktop.org/basedir-spec/latest/
  if (isAbsolute(configured)) return join(configured, 'promstack');
  return isAbsolute(home) ? join(home, '.cache', 'promstack') : undefined;
}

/** Empty for a user that the system does not know, as in some containers. */
function homeOfUser(): string {
  try {
    return homedir();
  } catch {
    return '';
  }
}
