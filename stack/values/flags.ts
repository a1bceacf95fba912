/** The value of a flag among arguments, as `--name=value` or `--name value`; the last one counts. Undefined when it is not there. */
export function flagIn(args: readonly string[], name: string): string | undefined {
  const flag = `--${name}`;
  const found = args.flatMap((argument, at) => {
    if (argument.startsWith(`${flag}=`)) return [argument.slice(flag.length + 1)];
    return argument === flag ? [args[at + 1] ?? ''] : [];
  });
  return found.at(-1);
}
