import { join } from 'node:path';
import { type Strategy, socketPlace } from './strategy.ts';

/** Where colima's default machine listens. */
export const colima: Strategy = {
  guess: ({ platform, home }) =>
    platform === 'win32' ? [] : [socketPlace('colima', join(home, '.colima/default/docker.sock'))],
};
