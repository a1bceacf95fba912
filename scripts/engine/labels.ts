import { version } from '../util/version.ts';

/** The stack a resource belongs to; whatever lacks it is never touched. */
export const stackLabel = 'dev.promstack.stack';
/** What a container is for: `service`, `carrier`, `check`. */
export const roleLabel = 'dev.promstack.role';
/** The service a container or volume belongs to. */
export const serviceLabel = 'dev.promstack.service';
/** Hash of the ContainerSpec and image the container was made from. */
export const specHashLabel = 'dev.promstack.spec-hash';
/** The ContainerSpec itself as JSON, to say field by field why a container is made anew. */
export const specLabel = 'dev.promstack.spec';
/** The promstack that made it. */
const versionLabel = 'dev.promstack.version';
/** Who holds the stack's lock, as JSON; only on the lock volume. */
export const lockLabel = 'dev.promstack.lock';

/** The labels on everything promstack makes. */
export function baseLabels(stack: string, role: string): Record<string, string> {
  return { [stackLabel]: stack, [roleLabel]: role, [versionLabel]: version() };
}
