import { type Strategy, socketPlace } from './strategy.ts';

/** Where Docker listens by default. */
export const defaultSocket: Strategy = {
  guess: ({ platform }) => {
    const path = platform === 'win32' ? '//./pipe/docker_engine' : '/var/run/docker.sock';
    return [socketPlace('Docker', path)];
  },
};
