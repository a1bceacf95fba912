import { PlainScalar } from './values/plain-scalar.ts';

/** The version of the schema of stack.yml. It changes with a major version, when keys get other names or meanings. */
export const schemaVersion = 1;

/** The version that a stack.yml says it has; undefined when it has none, or one that is not a whole number. */
export function versionIn(stack: unknown): number | undefined {
  const { version } = Object(stack) as { readonly version?: unknown };
  const value = version instanceof PlainScalar ? version.value : version;
  return typeof value === 'number' && Number.isInteger(value) ? value : undefined;
}
