/** The end of every switch over a union: reached only when a case was forgotten. */
export function unreachable(value: never): never {
  throw new Error(`no case for ${JSON.stringify(value)}`);
}
