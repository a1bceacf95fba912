import { version } from '../util/version.ts';

/** The stack a resource belongs to; resources without it are never changed. */
export const stackLabel = 'dev.promstack.stack';
/** What a container is for: `service`, `carrier` (the config volume writer), `check`. */
export const roleLabel = 'dev.promstack.role';
/** The service a container or volume belongs to. */
export const serviceLabel = 'dev.promstack.service';
/** Hash of the ContainerSpec and image that the container was created from. */
export const specHashLabel = 'dev.promstack.spec-hash';
/** The ContainerSpec itself as JSON, to say which field is the reason to recreate a container. */
export const specLabel = 'dev.promstack.spec';
/** The host, folder and file names of the stack.yml from which the stack was managed when it was created. */
export const hostLabel = 'dev.promstack.host';
export const folderLabel = 'dev.promstack.folder';
export const fileLabel = 'dev.promstack.file';
/** The service of a compose project that the stack runs as, as JSON (see `ComposeProject`). */
export const composeLabel = 'dev.promstack.compose';
/** By these two, desktop tools group the containers of a project. compose itself uses only containers that also have its hash of their config. */
export const projectLabel = 'com.docker.compose.project';
const projectServiceLabel = 'com.docker.compose.service';
/** Present when the stack's name was given by the variable PROMSTACK_NAME. */
export const nameGivenLabel = 'dev.promstack.name-given';
/** The version of promstack that created it. */
export const versionLabel = 'dev.promstack.version';
/** The holder of the stack's lock, as JSON; only on the lock volume. */
export const lockLabel = 'dev.promstack.lock';

/** The process that a stack lives as long as, as JSON; only on its owner volume (see `library/owner.ts`). */
export const ownerLabel = 'dev.promstack.owner';

/** The labels of everything that promstack creates. */
export function baseLabels(stack: string, role: string): Record<string, string> {
  return { [stackLabel]: stack, [roleLabel]: role, [versionLabel]: version() };
}

/** More labels for a service's container, which is the only thing that may have them: `compose down -v` deletes volumes with the first. */
export function projectLabels(stack: string, service: string): Record<string, string> {
  return { [projectLabel]: stack, [projectServiceLabel]: service };
}
