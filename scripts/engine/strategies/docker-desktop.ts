import { join } from 'node:path';
import { type Strategy, socketPlace } from './strategy.ts';

/** Where Docker Desktop listens on Linux; elsewhere it takes the places of Docker itself. */
export const dockerDesktop: Strategy = {
  guess: ({ platform, home }) =>
    platform === 'linux' ? [socketPlace('Docker Desktop', join(home, '.docker/desktop/docker.sock'))] : [],
};
