import type { KeyPath, Problem } from '../diagnostic.ts';
import { closest } from '../values/closest.ts';
import {
  durationProblems,
  isCollection,
  isMapping,
  listOf,
  type Mapping,
  mappingsIn,
  misspelledKeys,
} from '../values/mapping.ts';
import { describeValue, expected, quoted } from '../values/words.ts';
import { parseMatchers } from './matcher.ts';

const routeKeys = [
  ...['receiver', 'group_by', 'match', 'match_re', 'matchers', 'mute_time_intervals', 'active_time_intervals'],
  ...['continue', 'routes', 'group_wait', 'group_interval', 'repeat_interval', 'labels'],
];

/** The receivers and time intervals that routes can name, and where they are defined. */
interface DefinedNames {
  readonly receivers: readonly string[];
  readonly receiversAt: KeyPath;
  readonly intervals: readonly string[];
  readonly intervalsAt: KeyPath;
}

const nullHint = 'put it in quotes, "null", if a receiver has that name, else write the name of a receiver';

/** Problems of a routing tree. */
export function routeProblems(root: Mapping, path: KeyPath, defined: DefinedNames): readonly Problem[] {
  return [
    ...rootProblems(root, path),
    ...eachRoute(root, path).flatMap((route) => ownProblems(route.value, route.path, defined)),
  ];
}

/** A route and all routes below it. */
export function eachRoute(
  value: Mapping,
  path: KeyPath,
): readonly { readonly value: Mapping; readonly path: KeyPath }[] {
  const children = mappingsIn(value['routes'], [...path, 'routes']);
  return [{ value, path }, ...children.flatMap((child) => eachRoute(child.value, child.path))];
}

/** The root matches all alerts, so it must have a receiver and no matchers. */
function rootProblems(root: Mapping, path: KeyPath): readonly Problem[] {
  const conditions = ['matchers', 'match', 'match_re', 'mute_time_intervals', 'active_time_intervals'];
  const isMisspelled = Object.keys(root).some((key) => !routeKeys.includes(key) && closest(key, ['receiver'], 2));
  const isNull = root['receiver'] === null;
  return [
    ...(root['receiver'] || isMisspelled
      ? []
      : [
          {
            code: 'missing-key',
            path: isNull ? [...path, 'receiver'] : path,
            atKey: !isNull,
            message: `the root route has no receiver${isNull ? ': null is not a name' : ''}`,
            hint: isNull
              ? nullHint
              : 'add "receiver:" with the name of the receiver for alerts that match no other route',
          },
        ]),
    ...conditions
      .filter((key) => isFilled(root[key]))
      .map((key) => ({
        code: 'root-route',
        path: [...path, key],
        atKey: true,
        message: `the root route matches all alerts, so it cannot have ${quoted(key)}`,
        hint: 'move it to a route under "routes:"',
      })),
  ];
}

function ownProblems(route: Mapping, path: KeyPath, defined: DefinedNames): readonly Problem[] {
  return [
    ...misspelledKeys(route, routeKeys, path),
    ...emptyRoutes(route, path),
    ...receiverProblems(route['receiver'], [...path, 'receiver'], defined),
    ...matcherProblems(route, 'matchers', path),
    ...durationProblems(route, 'group_wait', path),
    ...durationProblems(route, 'group_interval', path, { aboveZero: true }),
    ...durationProblems(route, 'repeat_interval', path, { aboveZero: true }),
    ...['mute_time_intervals', 'active_time_intervals'].flatMap((key) =>
      intervalProblems(route[key], [...path, key], defined),
    ),
  ];
}

/** Alertmanager and amtool crash on them. */
function emptyRoutes(route: Mapping, path: KeyPath): readonly Problem[] {
  return listOf(route['routes']).flatMap((item, at): readonly Problem[] =>
    item === null
      ? [
          {
            code: 'wrong-type',
            path: [...path, 'routes', at],
            message: expected('a route', item),
            hint: 'remove the empty item',
          },
        ]
      : [],
  );
}

function receiverProblems(
  receiver: unknown,
  path: KeyPath,
  { receivers, receiversAt }: DefinedNames,
): readonly Problem[] {
  // That of the root has its own message.
  if (receiver === null && typeof path.at(-2) === 'number') {
    const message = 'null is not the name of a receiver: the alerts go to the receiver of the route above';
    return [{ code: 'null-receiver', severity: 'warning', path, message, hint: nullHint }];
  }
  if (typeof receiver !== 'string' || receiver === '' || receivers.includes(receiver)) return [];
  return [
    {
      code: 'unknown-receiver',
      path,
      message: `unknown receiver ${quoted(receiver)}`,
      hint: nameHint(receiver, receivers, 'define it under alertmanager.receivers'),
      dependsOn: [receiversAt],
    },
  ];
}

function intervalProblems(value: unknown, path: KeyPath, { intervals, intervalsAt }: DefinedNames): readonly Problem[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) {
    const message = expected('a list of time intervals', value);
    return [{ code: 'wrong-type', path, message, hint: 'write a list, such as [weekend]' }];
  }
  return value.flatMap((name: unknown, at): readonly Problem[] => {
    if (typeof name !== 'string' || intervals.includes(name)) return [];
    return [
      {
        code: 'unknown-time-interval',
        path: [...path, at],
        message: `unknown time interval ${quoted(name)}`,
        hint: nameHint(name, intervals, 'define it under alertmanager.time_intervals'),
        dependsOn: [intervalsAt],
      },
    ];
  });
}

/** A hint for an unknown name. */
export function nameHint(name: string, known: readonly string[], ifNone: string): string {
  if (known.length === 0) return ifNone;
  const near = closest(name, known);
  return near === undefined ? `defined: ${[...new Set(known)].join(', ')}` : `did you mean ${quoted(near)}?`;
}

/** Problems of the list of matchers of a key, such as `matchers` of a route. */
export function matcherProblems(section: Mapping, key: string, path: KeyPath): readonly Problem[] {
  const matchers = section[key];
  const here = [...path, key];
  if (matchers === undefined || matchers === null) return [];
  if (Array.isArray(matchers))
    return matchers.flatMap((matcher: unknown, at) => matcherProblem(matcher, [...here, at]));
  const hint = suggestion(matchers) ?? 'write a list, such as [severity="critical"]';
  return [{ code: 'wrong-type', path: here, message: expected('a list of matchers', matchers), hint }];
}

function matcherProblem(matcher: unknown, path: KeyPath): readonly Problem[] {
  if (typeof matcher === 'string' && parseMatchers(matcher) !== undefined) return [];
  const text = typeof matcher === 'string' ? quoted(matcher) : describeValue(matcher);
  const hint = suggestion(matcher) ?? 'a matcher is name="value", with =, !=, =~ or !~ in between';
  return [{ code: 'matcher', path, message: `not a matcher: ${text}`, hint }];
}

/** What a user meant by `severity: critical`. */
function suggestion(value: unknown): string | undefined {
  const pairs = isMapping(value)
    ? Object.entries(value)
    : typeof value === 'string'
      ? [...value.matchAll(/^\s*(\w+)\s*(?::|==)\s*"?([^"]*?)"?\s*$/g)].map(
          ([, name = '', value]) => [name, value] as const,
        )
      : [];
  const [first] = pairs;
  if (first === undefined || pairs.length !== 1 || isCollection(first[1])) return undefined;
  return `write ${first[0]}="${String(first[1])}"`;
}

function isFilled(value: unknown): boolean {
  if (Array.isArray(value)) return value.length > 0;
  return isMapping(value) ? Object.keys(value).length > 0 : value !== undefined && value !== null;
}
