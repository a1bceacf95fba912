import type { StackConfig } from '../../stack/config.ts';

/** The address of the stack's own Pushgateway on this host, by what stack.yml says. */
export function stackGatewayUrl({ bind, pushgateway }: StackConfig): string {
  const host = { '0.0.0.0': '127.0.0.1', '::': '[::1]' }[bind] ?? (bind.includes(':') ? `[${bind}]` : bind);
  return `http://${host}:${pushgateway.port}${routePrefix(pushgateway.extra_args)}`;
}

/** The path below which it serves: that of `--web.route-prefix`, else that of `--web.external-url`. */
function routePrefix(args: readonly string[]): string {
  const prefix = flag(args, 'web.route-prefix');
  const url = flag(args, 'web.external-url');
  const path = prefix ?? (url !== undefined && URL.canParse(url) ? new URL(url).pathname : '');
  const bare = path.replace(/^\/+|\/+$/g, '');
  return bare === '' ? '' : `/${bare}`;
}

/** The last value of a flag, given as `--name=value` or as two words. */
function flag(args: readonly string[], name: string): string | undefined {
  const values = args.flatMap((arg, at) => {
    if (arg === `--${name}`) return args[at + 1] ?? [];
    return arg.startsWith(`--${name}=`) ? arg.slice(name.length + 3) : [];
  });
  return values.at(-1);
}
