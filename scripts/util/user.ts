import { hostname, userInfo } from 'node:os';

/** The name of the current user, or the uid if it has no name. */
export function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return String(process.getuid?.() ?? 'unknown');
  }
}

/** The user as the history, the lock and silences name it: `ann@build1`. */
export function userAtHost(): string {
  return `${userName()}@${hostname()}`;
}
