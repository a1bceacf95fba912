import * as z from 'zod';
import { grafana } from '../../../stack/grafana/service.ts';
import { adminUser } from '../../../stack/grafana/settings.ts';
import type { Secret } from '../../../stack/secret.ts';
import type { Service } from '../../../stack/service.ts';
import { enabledServices } from '../../../stack/services.ts';
import type { LoadedStack } from '../../config/loaded.ts';
import { passwordStore, storedPasswords } from '../../servers/grafana/password.ts';
import { locateServices } from '../../state/locate.ts';
import { notRunning } from '../../state/not-running.ts';
import { openServiceClient } from '../../state/service-client.ts';
import { StackError } from '../../util/stack-error.ts';
import { type Context, exitCodes } from '../context.ts';
import { whichServices } from './arguments.ts';
import { defineCommand } from './command.ts';
import { configOrThrow, connectEngine } from './find-stack.ts';

export const command = defineCommand({
  details: 'Prints the URL of a running service, and opens it if there is a browser.',
  examples: [
    { line: 'open', what: 'open the main page of the stack' },
    { line: 'open alertmanager', what: 'open the page of one service' },
    { line: 'open prometheus --print', what: 'only print its URL, for scripts' },
  ],
  syntax: (command) => command.argument('[service]', 'service to open').option('--print', 'only print the URL'),
  json: () => z.strictObject({ service: z.string(), url: z.string() }),
  run: async (context, { print }, [name]) => {
    const config = await configOrThrow(context);
    const service = whichService(config, name);
    const { url, password } = await addressOf(context, config, service);
    context.result({ service: service.name, url });
    context.stdout.write(printAddress(url, password), ...(password === undefined ? [] : [password]));
    const opener = print === true ? undefined : openerFor(process.platform, context.env);
    const isOpen = opener !== undefined && (await openUrl(opener, url));
    if (print !== true && !isOpen) context.report({ kind: 'note', text: 'no browser found to open it' });
    return exitCodes.fine;
  },
});

function whichService(config: LoadedStack['config'], name: string | undefined): Service {
  const services = name === undefined ? enabledServices(config) : whichServices(config, [name]);
  const [first] = services.toSorted((a, b) => (b.openPriority ?? 0) - (a.openPriority ?? 0));
  if (first === undefined) {
    throw new StackError({
      doing: `opening ${config.name}`,
      why: 'the stack has no services',
      tryThis: 'enable one in stack.yml',
    });
  }
  return first;
}

/** The URL; with a password, how to sign in, too. */
export function printAddress(url: string, password: Secret | undefined): string {
  return password === undefined ? `${url}\n` : `${url}\n  user      ${adminUser}\n  password  ${password.reveal()}\n`;
}

/** The URL of a running service, and the password of Grafana's admin for somebody who reads it at a terminal. */
async function addressOf(
  context: Context,
  config: LoadedStack['config'],
  { name, port }: Service,
): Promise<{ readonly url: string; readonly password?: Secret | undefined }> {
  await using engine = await connectEngine(context);
  const client = openServiceClient(engine);
  try {
    const container = (await locateServices(engine, config.name, client)).get(name);
    const url = client.url(name, port);
    if (container?.state === 'running' && url !== undefined) {
      if (name !== grafana.name || !context.stdout.isTerminal) return { url };
      const kept = passwordStore(engine, config, container.id);
      return { url, password: (await storedPasswords({ kept })).current };
    }
    const doing = `opening ${name}`;
    if (container?.state !== 'running') throw new StackError({ doing, ...notRunning(name, container) });
    throw new StackError({ doing, why: 'it has no page: it publishes no port', tryThis: `promstack logs ${name}` });
  } finally {
    client.close();
  }
}

/** The command that opens a URL on this desktop; undefined without a desktop. */
export function openerFor(
  platform: NodeJS.Platform,
  env: NodeJS.ProcessEnv,
): readonly [string, ...string[]] | undefined {
  switch (platform) {
    case 'darwin':
      return ['open'];
    case 'win32':
      // `start` takes its first quoted argument as a window title.
      return ['cmd', '/c', 'start', '""'];
    default: {
      const hasDesktop = [env['DISPLAY'], env['WAYLAND_DISPLAY'], env['WSL_DISTRO_NAME']].some(
        (value) => (value ?? '') !== '',
      );
      return hasDesktop ? ['xdg-open'] : undefined;
    }
  }
}

/** Starts the program without waiting for it; false when it cannot be started. */
export async function openUrl([program, ...before]: readonly [string, ...string[]], url: string): Promise<boolean> {
  const { execa } = await import('execa');
  const options = { stdio: 'ignore', detached: true, cleanup: false, reject: false } as const;
  const opener = execa(program, [...before, url], options);
  opener.unref();
  return opener.pid !== undefined;
}
