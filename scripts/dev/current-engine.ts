/** The socket of the engine of `npm run engine -- up`. */
export const runFolder = '/var/lib/promstack-dev-engine/run';

/** The DOCKER_HOST of that engine. In a separate file, since vitest.config.ts cannot load engine.ts. */
export const currentEngine = `unix://${runFolder}/docker.sock`;
