import { InvalidArgumentError } from 'commander';
import type { StackConfig } from '../../../stack/config.ts';
import type { Service } from '../../../stack/service.ts';
import { enabledServices, findService } from '../../../stack/services.ts';
import { closest } from '../../../stack/values/closest.ts';
import { parseDuration } from '../../../stack/values/units.ts';
import { andList } from '../../../stack/values/words.ts';
import type { StackContainers } from '../../state/find-stack.ts';
import { misuse } from '../../util/misuse.ts';
import { InputError } from '../../util/stack-error.ts';

/** Milliseconds of a duration on the command line; throws an InputError for anything else. */
export function readDuration(option: string, text: string): number {
  const ms = parseDuration(text);
  if (ms !== undefined && ms > 0) return ms;
  throw new InputError([misuse(`${option} ${text} is not a duration`, 'use a duration such as 30s, 10m or 1h30m')]);
}

/** The number of `--max-fires`; throws an InputError for anything else. */
export function readMaxFires(text: string | undefined): number | undefined {
  if (text === undefined || /^\d+$/.test(text)) return text === undefined ? undefined : Number(text);
  throw new InputError([misuse(`--max-fires ${text} is not a number`, 'use a whole number, such as 10')]);
}

/** The option of every command that takes the stack's lock; read it with `readWait`. */
export const waitOption = [
  '--wait <duration>',
  "wait for the stack's lock while another command holds it, such as 60s (default: do not wait)",
] as const;

export function readWait(text: string | undefined): number | undefined {
  return text === undefined ? undefined : readDuration('--wait', text);
}

/** Parses `name=value` of a repeatable option. */
export function collectPair(word: string, list: readonly LabelPair[] = []): readonly LabelPair[] {
  const equals = word.indexOf('=');
  if (equals < 1) throw new InvalidArgumentError('Use the form name=value.');
  return [...list, [word.slice(0, equals), word.slice(equals + 1)]];
}

export type LabelPair = readonly [name: string, value: string];

/** The named services, or all of the stack without names; throws an InputError for unknown ones. */
export function whichServices(config: StackConfig, names: readonly string[]): readonly Service[] {
  const enabled = enabledServices(config);
  const known = enabled.map((service) => service.name);
  const unknown = names.filter((name) => !known.includes(name));
  if (unknown.length > 0) {
    throw new InputError(
      unknown.map((name) => {
        const near = closest(name, known);
        return misuse(
          `this stack has no service ${name}`,
          near === undefined ? `it has ${known.join(', ')}` : `did you mean ${near}?`,
        );
      }),
    );
  }
  return names.length === 0 ? enabled : enabled.filter((service) => names.includes(service.name));
}

/** The containers of the named services, or all without names; throws an InputError for a service that has none. */
export function whichContainers(stack: string, containers: StackContainers, names: readonly string[]): StackContainers {
  const known = [...containers.keys()];
  const unknown = names.filter((name) => !containers.has(name));
  if (unknown.length > 0) {
    throw new InputError(
      unknown.map((name) => {
        const near = findService(name) === undefined ? closest(name, known) : undefined;
        const has = `it has ${andList(known, 'none')}; \`promstack up\` creates what stack.yml enables`;
        const hint = near === undefined ? has : `did you mean ${near}?`;
        return misuse(`the stack ${stack} has no container of the service ${name}`, hint);
      }),
    );
  }
  return names.length === 0 ? containers : new Map([...containers].filter(([name]) => names.includes(name)));
}

/** Throws an InputError when the stack has no Alertmanager. */
export function requireAlertmanager(config: StackConfig): void {
  if (config.alertmanager.enabled) return;
  throw new InputError([
    misuse('this stack has no Alertmanager', '`promstack up --with alertmanager`, or enable it in stack.yml'),
  ]);
}

/** Throws an InputError for a service of `--with` that `--without` leaves out. */
export function checkChoice(without: readonly string[] = [], added: readonly string[] = []): void {
  const both = added.filter((name) => without.includes(name));
  if (both.length > 0) throw new InputError(both.map((name) => misuse(`--with and --without both name ${name}`)));
}

/** Throws an InputError for services of `--without` and `--with`, which a swarm does not remember. */
export function refuseChoiceOnSwarm(...choices: readonly (readonly string[] | undefined)[]): void {
  if (choices.every((choice) => choice === undefined)) return;
  const hint = 'set "enabled: false" for the service in stack.yml';
  throw new InputError([misuse('--without and --with: not for a stack with the target swarm', hint)]);
}
