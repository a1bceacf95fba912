import * as z from 'zod';
import { type ReceiverIntegrations, readMainFile, receiversIn } from '../../stack/alertmanager/main-file.ts';
import { isNative } from '../../stack/values/native.ts';
import { parseYaml } from '../../stack/values/parse.ts';
import type { Rendering } from '../render/rendering.ts';
import { NoAnswerError, type Servers } from './servers.ts';

/** The routing an Alertmanager follows: its parsed file, and whether the running server told it. */
export interface Routing {
  readonly file: Readonly<Record<string, unknown>>;
  readonly receivers: readonly ReceiverIntegrations[];
  readonly isLive: boolean;
}

/** The routing of stack.yml, as it is rendered. */
export function readRenderedRouting({ services }: Rendering): Routing {
  const files = services.find(({ service }) => service.name === 'alertmanager')?.files ?? [];
  const file = readMainFile(files) ?? {};
  return { file, receivers: receiversIn(file), isLive: false };
}

const status = z.object({ config: z.object({ original: z.string() }) });

/** The routing of the running Alertmanager; that of stack.yml while it cannot be asked. */
export async function readRouting(servers: Servers, rendered: unknown): Promise<Routing> {
  const live = await readLive(servers);
  const file = isNative(live) ? live : isNative(rendered) ? rendered : {};
  return { file, receivers: receiversIn(file), isLive: isNative(live) };
}

/** Secrets are masked in it; routes and names of receivers are whole. */
async function readLive(servers: Servers): Promise<unknown> {
  try {
    const told = status.safeParse(await servers.json('alertmanager', '/api/v2/status'));
    if (!told.success) return undefined;
    return parseYaml(told.data.config.original);
  } catch (error) {
    if (error instanceof NoAnswerError) return undefined;
    throw error;
  }
}
