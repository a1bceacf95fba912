import type { KeyPath, Problem } from '../diagnostic.ts';
import { closest } from '../values/closest.ts';
import { durationProblems, isNative, mappingsIn, misspeltKeys, type Native } from '../values/native.ts';
import { inWords, quoted } from '../values/words.ts';
import { parseMatchers } from './matcher.ts';

const routeKeys = [
  'receiver',
  'group_by',
  'match',
  'match_re',
  'matchers',
  'mute_time_intervals',
  'active_time_intervals',
  'continue',
  'routes',
  'group_wait',
  'group_interval',
  'repeat_interval',
  'labels',
];

/** The names a routing tree may speak of, and where they are given. */
export interface Names {
  readonly receivers: readonly string[];
  readonly receiversAt: KeyPath;
  readonly intervals: readonly string[];
  readonly intervalsAt: KeyPath;
}

/** What is wrong with a routing tree, from its root to its last leaf. */
export function routeProblems(root: Native, path: KeyPath, names: Names): readonly Problem[] {
  return [
    ...rootProblems(root, path),
    ...eachRoute(root, path).flatMap((route) => oneRoute(route.value, route.path, names)),
  ];
}

/** The root takes every alert, so it must name a receiver and may not choose. */
function rootProblems(root: Native, path: KeyPath): readonly Problem[] {
  const choosing = ['matchers', 'match', 'match_re', 'mute_time_intervals', 'active_time_intervals'];
  const isMisspelt = Object.keys(root).some((key) => !routeKeys.includes(key) && closest(key, ['receiver'], 2));
  return [
    ...(root['receiver'] || isMisspelt
      ? []
      : [
          {
            code: 'missing-key',
            path,
            atKey: true,
            message: 'the root route names no receiver',
            hint: 'add "receiver:" with the name of one: it gets what no route below it takes',
          },
        ]),
    ...choosing
      .filter((key) => isFilled(root[key]))
      .map((key) => ({
        code: 'root-route',
        path: [...path, key],
        atKey: true,
        message: `the root route takes every alert, so it cannot have ${quoted(key)}`,
        hint: 'put it on a route below "routes:"',
      })),
  ];
}

function oneRoute(route: Native, path: KeyPath, names: Names): readonly Problem[] {
  return [
    ...misspeltKeys(route, routeKeys, path),
    ...receiverProblems(route['receiver'], [...path, 'receiver'], names),
    ...matcherProblems(route, 'matchers', path),
    ...durationProblems(route, 'group_wait', path),
    ...durationProblems(route, 'group_interval', path, { aboveZero: true }),
    ...durationProblems(route, 'repeat_interval', path, { aboveZero: true }),
    ...['mute_time_intervals', 'active_time_intervals'].flatMap((key) =>
      intervalProblems(route[key], [...path, key], names),
    ),
  ];
}

function receiverProblems(receiver: unknown, path: KeyPath, { receivers, receiversAt }: Names): readonly Problem[] {
  if (typeof receiver !== 'string' || receiver === '' || receivers.includes(receiver)) return [];
  return [
    {
      code: 'unknown-receiver',
      path,
      message: `there is no receiver ${quoted(receiver)}`,
      ...hintOf(receiver, receivers, 'there are no receivers: name them under alertmanager.receivers'),
      dependsOn: [receiversAt],
    },
  ];
}

function intervalProblems(given: unknown, path: KeyPath, { intervals, intervalsAt }: Names): readonly Problem[] {
  if (given === undefined || given === null) return [];
  if (!Array.isArray(given)) {
    const message = `a list of time intervals is expected here, not ${inWords(given)}`;
    return [{ code: 'wrong-type', path, message, hint: 'such as [weekend]' }];
  }
  return given.flatMap((name: unknown, at): readonly Problem[] => {
    if (typeof name !== 'string' || intervals.includes(name)) return [];
    return [
      {
        code: 'unknown-time-interval',
        path: [...path, at],
        message: `there is no time interval ${quoted(name)}`,
        ...hintOf(name, intervals, 'there are none: name them under alertmanager.time_intervals'),
        dependsOn: [intervalsAt],
      },
    ];
  });
}

function hintOf(name: string, names: readonly string[], ifNone: string): { readonly hint: string } {
  if (names.length === 0) return { hint: ifNone };
  const near = closest(name, names);
  return { hint: near === undefined ? `there are ${[...new Set(names)].join(', ')}` : `did you mean ${quoted(near)}?` };
}

function eachRoute(route: Native, path: KeyPath): readonly { readonly value: Native; readonly path: KeyPath }[] {
  const below = mappingsIn(route['routes'], [...path, 'routes']);
  return [{ value: route, path }, ...below.flatMap((child) => eachRoute(child.value, child.path))];
}

function isFilled(value: unknown): boolean {
  if (Array.isArray(value)) return value.length > 0;
  return isNative(value) ? Object.keys(value).length > 0 : value !== undefined && value !== null;
}

/** What is wrong with the list of matchers under a key, such as `matchers` of a route. */
export function matcherProblems(section: Native, key: string, path: KeyPath): readonly Problem[] {
  const matchers = section[key];
  const here = [...path, key];
  if (matchers === undefined || matchers === null) return [];
  if (Array.isArray(matchers)) return matchers.flatMap((matcher: unknown, at) => problemOf(matcher, [...here, at]));
  const message = `a list of matchers is expected here, not ${inWords(matchers)}`;
  return [{ code: 'wrong-type', path: here, message, hint: suggestion(matchers) ?? 'such as [severity="critical"]' }];
}

function problemOf(matcher: unknown, path: KeyPath): readonly Problem[] {
  if (typeof matcher === 'string' && parseMatchers(matcher) !== undefined) return [];
  const given = typeof matcher === 'string' ? quoted(matcher) : inWords(matcher);
  const hint = suggestion(matcher) ?? 'a matcher is name="value", with =, !=, =~ or !~ between the two';
  return [{ code: 'matcher', path, message: `this is not a matcher: ${given}`, hint }];
}

/** What a person who wrote `severity: critical` meant. */
function suggestion(given: unknown): string | undefined {
  const pairs = isNative(given)
    ? Object.entries(given)
    : typeof given === 'string'
      ? [...given.matchAll(/^\s*(\w+)\s*(?::|==)\s*"?([^"]*?)"?\s*$/g)].map(
          ([, name = '', value]) => [name, value] as const,
        )
      : [];
  const [first] = pairs;
  if (first === undefined || pairs.length !== 1 || typeof first[1] === 'object') return undefined;
  return `write ${first[0]}="${String(first[1])}"`;
}
