import type { StackConfig } from '../config.ts';
import type { KeyPath, Problem } from '../diagnostic.ts';
import { Secret } from '../secret.ts';
import { repeatedNames } from '../values/native.ts';
import { writtenOut } from '../values/schemas.ts';
import { quoted } from '../values/words.ts';
import { type Datasource, uidOf } from './config.ts';
import { pluginProblems } from './datasource-plugins.ts';
import { stackDatasources } from './datasources.ts';

const top: KeyPath = ['grafana', 'datasources'];

/** What is wrong with the person's datasources, most of which Grafana would take without a word. */
export function datasourceProblems(config: StackConfig): readonly Problem[] {
  const all = config.grafana.datasources.map((one, at) => ({ one, path: [...top, at] }));
  return [
    ...all.flatMap(({ one, path }) => takenProblems(one, path, config)),
    ...repeatedNames(
      all.map(({ one, path }) => ({
        name: `${one.name}${one.orgId === 1 ? '' : ` of organisation ${one.orgId}`}`,
        path: [...path, 'name'],
      })),
      'datasources',
    ),
    ...repeatedUids(all),
    ...repeatedDefaults(all),
    ...all.flatMap(({ one, path }) => [
      ...dollarProblems(one, path),
      ...secretProblems(one, path),
      ...loginProblems(one, path),
      ...organisationProblems(one, path),
      ...(pluginProblems[one.type]?.(one.jsonData, [...path, 'jsonData'], config) ?? []),
    ]),
  ];
}

/** Names and uids that the stack's own datasources have. */
function takenProblems(one: Datasource, path: KeyPath, config: StackConfig): readonly Problem[] {
  if (one.orgId !== 1) return [];
  return stackDatasources(config).flatMap((own): readonly Problem[] => [
    ...(own.name === one.name
      ? [
          {
            code: 'name-twice',
            path: [...path, 'name'],
            message: `the stack has a datasource named ${quoted(own.name)} already`,
            hint: 'give this one another name',
          },
        ]
      : []),
    ...(own.uid === uidOf(one)
      ? [
          {
            code: 'uid-twice',
            path: [...path, one.uid === undefined ? 'name' : 'uid'],
            message: `the uid ${quoted(own.uid)} is that of the stack's own datasource ${own.name}`,
            hint: 'give this one another uid',
          },
        ]
      : []),
  ]);
}

type Placed = { readonly one: Datasource; readonly path: KeyPath };

function repeatedUids(all: readonly Placed[]): readonly Problem[] {
  const first = new Map<string, Placed>();
  return all.flatMap((placed): readonly Problem[] => {
    const id = `${placed.one.orgId} ${uidOf(placed.one)}`;
    const earlier = first.get(id);
    first.set(id, earlier ?? placed);
    // Two of one name are told of already.
    if (earlier === undefined || earlier.one.name === placed.one.name) return [];
    return [
      {
        code: 'uid-twice',
        path: [...placed.path, placed.one.uid === undefined ? 'name' : 'uid'],
        message: `there are two datasources with the uid ${quoted(uidOf(placed.one))}`,
        hint: 'give one of them another uid',
        related: [{ path: [...earlier.path, 'name'], message: 'the first is here' }],
      },
    ];
  });
}

/** Grafana refuses all datasources when two of an organisation are the default. */
function repeatedDefaults(all: readonly Placed[]): readonly Problem[] {
  const first = new Map<number, Placed>();
  return all.flatMap((placed): readonly Problem[] => {
    if (!placed.one.isDefault) return [];
    const earlier = first.get(placed.one.orgId);
    first.set(placed.one.orgId, earlier ?? placed);
    if (earlier === undefined) return [];
    return [
      {
        code: 'default-twice',
        path: [...placed.path, 'isDefault'],
        message: 'only one datasource of an organisation can be the default',
        hint: 'take isDefault away from one of them',
        related: [{ path: [...earlier.path, 'isDefault'], message: 'the first is here' }],
      },
    ];
  });
}

/** Texts in which Grafana would put environment variables in the place of names that begin with `$`. */
function dollarProblems(one: Datasource, path: KeyPath): readonly Problem[] {
  const found: Problem[] = [];
  const walk = (value: unknown, at: KeyPath): void => {
    if (typeof value === 'string') found.push(...dollarProblem(value, at));
    else if (Array.isArray(value))
      value.forEach((item, index) => {
        walk(item, [...at, index]);
      });
    else if (typeof value === 'object' && value !== null && !(value instanceof Secret)) {
      for (const [key, inner] of Object.entries(value)) walk(inner, [...at, key]);
    }
  };
  const { secureJsonData: _secret, ...open } = one;
  walk(open, path);
  return found;
}

function dollarProblem(text: string, path: KeyPath): readonly Problem[] {
  // A pair stands for one dollar; what is left alone begins a variable, or vanishes.
  const at = text.replaceAll('$$', '  ').indexOf('$');
  if (at === -1) return [];
  const [name = '$'] = /^\$(?:\{[^}]*\}?|__\w+\{[^}]*\}?|\w+)?/.exec(text.slice(at)) ?? [];
  return [
    {
      code: 'dollar',
      path,
      within: { from: at, length: name.length },
      message: `Grafana would put an environment variable of its container in the place of ${quoted(name)}, and there is none`,
      hint: `write $${name} for the text itself; a secret goes under secureJsonData as !env NAME`,
    },
  ];
}

function secretProblems(one: Datasource, path: KeyPath): readonly Problem[] {
  const found: Problem[] = [];
  const walk = (value: unknown, at: KeyPath): void => {
    if (value instanceof Secret) {
      found.push({
        code: 'secret-refused',
        path: at,
        message: `${String(at.at(-1))} cannot hold a secret: everybody who may look at a dashboard can read jsonData`,
        hint: 'put it under secureJsonData',
      });
    } else if (Array.isArray(value))
      value.forEach((item, index) => {
        walk(item, [...at, index]);
      });
    else if (typeof value === 'object' && value !== null) {
      for (const [key, inner] of Object.entries(value)) walk(inner, [...at, key]);
    }
  };
  walk(one.jsonData, [...path, 'jsonData']);
  for (const [key, secret] of Object.entries(one.secureJsonData)) {
    if (secret.origin !== writtenOut) continue;
    found.push({
      severity: 'warning',
      code: 'plain-secret',
      path: [...path, 'secureJsonData', key],
      message: `${key} stands in stack.yml, where everybody can read it`,
      hint: 'write !env NAME or !file PATH in its place',
    });
  }
  return found;
}

/** Halves of a pair: a user without a password, a header without a value. */
function loginProblems(one: Datasource, path: KeyPath): readonly Problem[] {
  const missing = (section: string, key: string, because: string): Problem => ({
    code: 'missing-key',
    path: section === '' ? path : [...path, section],
    atKey: true,
    message: `the key ${quoted(key)} is missing in ${section === '' ? `the datasource ${one.name}` : `${section} of ${one.name}`}`,
    hint: because,
  });
  const headers = Object.keys(one.jsonData).flatMap((key) => /^httpHeaderName(\d+)$/.exec(key)?.[1] ?? []);
  return [
    ...(one.basicAuth && one.basicAuthUser === undefined ? [missing('', 'basicAuthUser', 'basicAuth needs it')] : []),
    ...(one.basicAuth && one.secureJsonData['basicAuthPassword'] === undefined
      ? [missing('secureJsonData', 'basicAuthPassword', 'basicAuth needs it')]
      : []),
    ...headers
      .filter((number) => one.secureJsonData[`httpHeaderValue${number}`] === undefined)
      .map((number) => missing('secureJsonData', `httpHeaderValue${number}`, `httpHeaderName${number} needs it`)),
  ];
}

function organisationProblems(one: Datasource, path: KeyPath): readonly Problem[] {
  if (one.orgId === 1) return [];
  return [
    {
      severity: 'warning',
      code: 'organisation',
      path: [...path, 'orgId'],
      message: `promstack makes no organisations: without organisation ${one.orgId} Grafana takes none of the datasources`,
      hint: 'make it in Grafana first, or leave orgId away',
    },
  ];
}
