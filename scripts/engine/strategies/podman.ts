import { join } from 'node:path';
import { runtimeFolder } from './runtime-folder.ts';
import { type Strategy, socketPlace } from './strategy.ts';

/** Where Podman listens with Docker's API: the person's own, the machine's, and that of `podman machine`. */
export const podman: Strategy = {
  guess: (surroundings) => {
    if (surroundings.platform === 'win32') return [socketPlace('Podman', '//./pipe/podman-machine-default')];
    const folder = runtimeFolder(surroundings);
    const sockets = [
      ...(folder === undefined ? [] : [join(folder, 'podman/podman.sock')]),
      '/run/podman/podman.sock',
      ...(surroundings.platform === 'darwin'
        ? [join(surroundings.home, '.local/share/containers/podman/machine/podman.sock')]
        : []),
    ];
    return sockets.map((path) => socketPlace('Podman', path));
  },
};
