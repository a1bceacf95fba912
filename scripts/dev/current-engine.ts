/** Where `npm run engine -- up` keeps the socket of its engine. */
export const runFolder = '/var/lib/promstack-dev-engine/run';

/** The DOCKER_HOST of that engine. In a file of its own, since vitest.config.ts cannot load the chore itself. */
export const currentEngine = `unix://${runFolder}/docker.sock`;
