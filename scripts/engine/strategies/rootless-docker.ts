import { join } from 'node:path';
import { runtimeFolder } from './runtime-folder.ts';
import { type Strategy, socketPlace } from './strategy.ts';

/** Where a Docker of the person's own listens. */
export const rootlessDocker: Strategy = {
  guess: (surroundings) => {
    const folder = runtimeFolder(surroundings);
    const sockets = [
      ...(folder === undefined ? [] : [join(folder, 'docker.sock')]),
      join(surroundings.home, '.docker/run/docker.sock'),
    ];
    return surroundings.platform === 'win32' ? [] : sockets.map((path) => socketPlace('rootless Docker', path));
  },
};
