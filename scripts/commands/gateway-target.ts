import { InvalidArgumentError } from 'commander';
import { parseDuration } from '../../stack/values/duration.ts';
import type { Context } from '../cli/context.ts';
import { misuse } from '../cli/misuse.ts';
import { type Gateway, openGateway } from '../push/gateway.ts';
import { readGatewayUrl } from '../push/gateway-url.ts';
import { type Group, toGroup, whyNoGroup } from '../push/group.ts';
import { stackGatewayUrl } from '../push/stack-url.ts';
import { openTransport } from '../push/transport.ts';
import { InputError } from '../util/stack-error.ts';
import { loadOrThrow, takeOrThrow } from './stages.ts';

/** What one request may take unless the person says otherwise. */
export const defaultTimeoutMs = 10_000;

/** The Pushgateway a command talks to: the one of `--url`, else the stack's own. */
export async function openTarget(
  context: Context,
  { url, timeout }: { readonly url?: string | undefined; readonly timeout?: string | undefined },
): Promise<Gateway> {
  const address = takeOrThrow(context, readGatewayUrl(url ?? (await stackUrl(context))));
  const timeoutMs = timeout === undefined ? defaultTimeoutMs : readDuration('--timeout', timeout);
  return openGateway(openTransport({ url: address, timeoutMs }), () => context.clock.now());
}

async function stackUrl(context: Context): Promise<string> {
  const { config } = await loadOrThrow(context);
  if (config.pushgateway.enabled) return stackGatewayUrl(config);
  throw new InputError([misuse('this stack has no Pushgateway', '--url http://HOST:9091 names one')]);
}

/** Milliseconds of a duration on the command line; an InputError when it is none. */
export function readDuration(option: string, text: string): number {
  const ms = parseDuration(text);
  if (ms !== undefined && ms > 0) return ms;
  throw new InputError([misuse(`${option} ${text} is no duration`, 'a duration such as 30s, 10m or 1h30m')]);
}

/** A name and value given as one word; for repeated options, which gather in the list. */
export function collectPair(word: string, list: readonly Pair[] = []): readonly Pair[] {
  const at = word.indexOf('=');
  if (at < 1) throw new InvalidArgumentError('It takes the form name=value.');
  return [...list, [word.slice(0, at), word.slice(at + 1)]];
}

/** A name and its value. */
export type Pair = readonly [name: string, value: string];

/** The group of `--job` and `--label`; an InputError when there can be none. */
export function readGroup(job: string, labels: readonly Pair[] = []): Group {
  const why = whyNoGroup(job, labels);
  if (why !== undefined) throw new InputError([misuse(why, '--job NAME --label name=value')]);
  return toGroup(job, labels);
}
