import type { ContainerSpec, PortSpec } from '../../stack/model.ts';
import { toSize } from '../../stack/values/size.ts';

/** Why a container made from one spec does not fit another: one reason a field, in a person's words. */
export function diffSpec(before: ContainerSpec, after: ContainerSpec): readonly string[] {
  return [
    ...scalar('image', before.image, after.image),
    ...scalar('user', before.user, after.user),
    ...scalar('entrypoint', before.entrypoint?.join(' '), after.entrypoint?.join(' ')),
    ...sets('argument', before.args, after.args),
    ...maps('environment', before.env, after.env),
    ...sets('port', before.ports.map(portText), after.ports.map(portText)),
    ...sets('mount', before.mounts.map(text), after.mounts.map(text)),
    ...sets('tmpfs', before.tmpfs, after.tmpfs),
    ...scalar('memory limit', sizeOf(before.resources.memoryBytes), sizeOf(after.resources.memoryBytes)),
    ...scalar('cpu limit', before.resources.cpus, after.resources.cpus),
    ...maps('label', before.labels, after.labels),
    ...scalar('stop timeout', before.stopTimeoutSeconds, after.stopTimeoutSeconds),
  ];
}

function scalar(field: string, before: string | number | undefined, after: string | number | undefined): string[] {
  return before === after ? [] : [`${field} ${before ?? 'unset'} -> ${after ?? 'unset'}`];
}

function sets(field: string, before: readonly string[], after: readonly string[]): string[] {
  const gone = before.filter((one) => !after.includes(one));
  const come = after.filter((one) => !before.includes(one));
  if (gone.length === 0 && come.length === 0) {
    return before.join('\0') === after.join('\0') ? [] : [`order of ${field}s changed`];
  }
  // A flag that only changed its value reads better as one line.
  const pairs = gone.map(
    (one) => [one, come.find((other) => flag(other) === flag(one) && flag(one) !== other)] as const,
  );
  const paired = new Set(pairs.map(([, other]) => other));
  return [
    ...pairs.map(([one, other]) => (other === undefined ? `${field} ${one} removed` : `${field} ${one} -> ${other}`)),
    ...come.filter((one) => !paired.has(one)).map((one) => `${field} ${one} added`),
  ];
}

const flag = (argument: string): string => argument.split('=')[0] ?? argument;

function maps(
  field: string,
  before: Readonly<Record<string, string>>,
  after: Readonly<Record<string, string>>,
): string[] {
  const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
  return keys.flatMap((key) => scalar(`${field} ${key}`, before[key], after[key]));
}

const sizeOf = (bytes: number | undefined): string | undefined => (bytes === undefined ? undefined : toSize(bytes));

const portText = (port: PortSpec): string => `${port.bind}:${port.host}:${port.container}`;

const text = (value: unknown): string => JSON.stringify(value);
