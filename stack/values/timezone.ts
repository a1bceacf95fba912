import type { KeyPath, Problem } from '../diagnostic.ts';
import { closest } from './closest.ts';
import { quoted } from './words.ts';

/** What is wrong with the name of a timezone, which must be one of the IANA database. */
export function timezoneProblems(name: string, path: KeyPath): readonly Problem[] {
  if (name === 'UTC') return [];
  const near = closestTimezone(name);
  const differsInCase = near !== undefined && near !== name && near.toLowerCase() === name.toLowerCase();
  if (isTimezone(name) && !differsInCase) return [];
  return [
    {
      code: 'unknown-timezone',
      path,
      message: `there is no timezone ${quoted(name)}`,
      hint:
        near === undefined
          ? 'a name such as UTC, Europe/Berlin or Asia/Shanghai is expected'
          : `did you mean ${quoted(near)}?`,
    },
  ];
}

/** Offsets such as +08:00 are no names: the programs would silently take UTC. */
function isTimezone(name: string): boolean {
  if (!/^[A-Za-z]/.test(name)) return false;
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

function closestTimezone(name: string): string | undefined {
  const names = ['UTC', ...Intl.supportedValuesOf('timeZone')];
  if (names.includes(name)) return name;
  const lower = name.toLowerCase().replaceAll(' ', '_');
  return (
    names.find((one) => one.toLowerCase() === lower) ??
    names.find((one) => one.toLowerCase().endsWith(`/${lower}`)) ??
    closest(name, names)
  );
}
