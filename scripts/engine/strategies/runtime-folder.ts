import type { Surroundings } from './strategy.ts';

/** The folder for the person's own sockets; where a login session did not name it, the place systemd gives it. */
export function runtimeFolder({ env, uid, platform }: Surroundings): string | undefined {
  if (env.XDG_RUNTIME_DIR !== undefined && env.XDG_RUNTIME_DIR !== '') return env.XDG_RUNTIME_DIR;
  return platform === 'linux' && uid !== undefined ? `/run/user/${uid}` : undefined;
}
