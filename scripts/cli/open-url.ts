import { spawn } from 'node:child_process';

/** The program that opens a page on a desktop, with what goes before the address; undefined where no desktop is to be seen. */
export function openerFor(
  platform: NodeJS.Platform,
  env: NodeJS.ProcessEnv,
): readonly [string, ...string[]] | undefined {
  switch (platform) {
    case 'darwin':
      return ['open'];
    case 'win32':
      // `start` takes its first quoted argument as a window title.
      return ['cmd', '/c', 'start', '""'];
    default: {
      const hasDesktop = [env['DISPLAY'], env['WAYLAND_DISPLAY'], env['WSL_DISTRO_NAME']].some(
        (value) => (value ?? '') !== '',
      );
      return hasDesktop ? ['xdg-open'] : undefined;
    }
  }
}

/** Starts the program and lets it go; false when it cannot be started. */
export function openUrl([program, ...before]: readonly [string, ...string[]], url: string): Promise<boolean> {
  return new Promise((resolve) => {
    const child = spawn(program, [...before, url], { stdio: 'ignore', detached: true });
    child.once('error', () => resolve(false));
    child.once('spawn', () => {
      child.unref();
      resolve(true);
    });
  });
}
