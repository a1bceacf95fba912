import type { StackConfig } from '../config.ts';
import type { KeyPath, Problem } from '../diagnostic.ts';
import { Secret } from '../secret.ts';
import { isCollection, type Mapping, repeatedNames } from '../values/mapping.ts';
import { quoted } from '../values/words.ts';
import { type Datasource, uidOf } from './config.ts';
import { pluginProblems } from './datasource-plugins.ts';
import { typeProblems } from './datasource-types.ts';
import { ownerOf, stackDatasources } from './datasources.ts';

interface Located {
  readonly datasource: Datasource;
  readonly path: KeyPath;
}

/** Problems of the user's datasources, most of which Grafana would accept silently. */
export function datasourceProblems(config: StackConfig): readonly Problem[] {
  const all = config.grafana.datasources.map((datasource, at): Located => {
    return { datasource, path: ['grafana', 'datasources', at] };
  });
  return [
    ...all.flatMap((located) => reservedNames(located, config)),
    ...repeatedNames(
      all.map(({ datasource: { name, orgId }, path }) => ({
        name: `${name}${orgId === 1 ? '' : ` of organization ${orgId}`}`,
        path: [...path, 'name'],
      })),
      'datasources',
    ),
    ...repeatedUids(all),
    ...repeatedDefaults(all),
    ...all.flatMap(({ datasource, path }) => [
      ...typeProblems(datasource.type, path, config.grafana.image),
      ...dollarProblems(datasource, path),
      ...secretProblems(datasource, path),
      ...missingHalves(datasource, path),
      ...organizationProblems(datasource, path),
      ...(pluginProblems[datasource.type]?.(datasource.jsonData, [...path, 'jsonData'], config) ?? []),
    ]),
  ];
}

/** Names and uids of the stack's own datasources. */
function reservedNames({ datasource, path }: Located, config: StackConfig): readonly Problem[] {
  if (datasource.orgId !== 1) return [];
  const owner = ownerOf(config, datasource);
  if (owner !== undefined) {
    return [
      {
        severity: 'note',
        code: 'own-datasource',
        path: [...path, 'name'],
        message: `the stack has its own datasource for ${owner}, with the uid ${quoted(owner)}: these are settings of it`,
      },
    ];
  }
  return stackDatasources(config).flatMap((own): readonly Problem[] => [
    ...(own.name === datasource.name
      ? [
          {
            code: 'name-twice',
            path: [...path, 'name'],
            message: `the stack already has a datasource named ${quoted(own.name)}`,
            hint: 'rename this one',
          },
        ]
      : []),
    ...(own.uid === uidOf(datasource) && (own.name !== datasource.name || datasource.uid !== undefined)
      ? [
          {
            code: 'uid-twice',
            path: uidPath({ datasource, path }),
            message: `the uid ${quoted(own.uid)} is in use by the stack's own datasource ${own.name}`,
            hint: 'change the uid of this one',
          },
        ]
      : []),
  ]);
}

const uidPath = ({ datasource, path }: Located): KeyPath => [...path, datasource.uid === undefined ? 'name' : 'uid'];

function repeatedUids(all: readonly Located[]): readonly Problem[] {
  const first = new Map<string, Located>();
  return all.flatMap((located): readonly Problem[] => {
    const { datasource } = located;
    const key = `${datasource.orgId} ${uidOf(datasource)}`;
    const earlier = first.get(key);
    first.set(key, earlier ?? located);
    // Two of the same name are reported already.
    if (earlier === undefined || earlier.datasource.name === datasource.name) return [];
    return [
      {
        code: 'uid-twice',
        path: uidPath(located),
        message: `there are two datasources with the uid ${quoted(uidOf(datasource))}`,
        hint: 'change the uid of one of them',
        related: [{ path: [...earlier.path, 'name'], message: 'the first is here' }],
      },
    ];
  });
}

/** Grafana rejects all datasources when an organization has two defaults. */
function repeatedDefaults(all: readonly Located[]): readonly Problem[] {
  const first = new Map<number, Located>();
  return all.flatMap((located): readonly Problem[] => {
    const { datasource, path } = located;
    if (!datasource.isDefault) return [];
    const earlier = first.get(datasource.orgId);
    first.set(datasource.orgId, earlier ?? located);
    if (earlier === undefined) return [];
    return [
      {
        code: 'default-twice',
        path: [...path, 'isDefault'],
        message: 'an organization can have only one default datasource',
        hint: 'remove isDefault from one of them',
        related: [{ path: [...earlier.path, 'isDefault'], message: 'the first is here' }],
      },
    ];
  });
}

interface Leaf {
  readonly value: unknown;
  readonly path: KeyPath;
}

/** All scalars and secrets in a value, with their paths. */
function leavesOf(value: unknown, path: KeyPath): readonly Leaf[] {
  if (!isCollection(value)) return [{ value, path }];
  if (Array.isArray(value)) return value.flatMap((item: unknown, at) => leavesOf(item, [...path, at]));
  return Object.entries(value).flatMap(([key, inner]) => leavesOf(inner, [...path, key]));
}

/** Strings in which Grafana would expand environment variables. */
function dollarProblems({ secureJsonData: _secrets, ...datasource }: Datasource, path: KeyPath): readonly Problem[] {
  return leavesOf(datasource, path).flatMap(({ value, path: at }): readonly Problem[] => {
    if (typeof value !== 'string') return [];
    // As in Go's os.Expand, `$$` is a literal dollar, and so is one before anything but a name, a brace or a shell's special variable.
    const variable = /\$(?:\{[^}]*\}?|__[A-Za-z0-9_]+\{[^}]*\}?|[*#@!?\d-]|[A-Za-z_]\w*)/.exec(
      value.replaceAll('$$', '  '),
    );
    if (variable === null) return [];
    const { index: from } = variable;
    const [name] = variable;
    return [
      {
        code: 'variable-in-datasource',
        path: at,
        within: { from, length: name.length },
        message: `Grafana would expand ${quoted(name)} to an environment variable of its container, which does not exist`,
        hint: `write $${name} for the literal text; put a secret under secureJsonData as !env NAME`,
      },
    ];
  });
}

function secretProblems({ jsonData }: Datasource, path: KeyPath): readonly Problem[] {
  const exposed = leavesOf(jsonData, [...path, 'jsonData']).filter(({ value }) => value instanceof Secret);
  return exposed.map(({ path: at }) => ({
    code: 'secret-refused',
    path: at,
    message: `${String(at.at(-1))} cannot hold a secret: everyone who can view a dashboard can read jsonData`,
    hint: 'put it under secureJsonData',
  }));
}

/** A user without a password, a header without a value. */
function missingHalves(
  { name, basicAuth, basicAuthUser, jsonData, secureJsonData }: Datasource,
  path: KeyPath,
): readonly Problem[] {
  const missing = (section: string | undefined, key: string, needs: string): Problem => ({
    code: 'missing-key',
    path: section === undefined ? path : [...path, section],
    atKey: true,
    message: `the key ${quoted(key)} is missing in ${section === undefined ? `the datasource ${name}` : `${section} of ${name}`}`,
    hint: `${needs} needs it`,
  });
  return [
    ...(basicAuth && basicAuthUser === undefined ? [missing(undefined, 'basicAuthUser', 'basicAuth')] : []),
    ...(basicAuth && secureJsonData['basicAuthPassword'] === undefined
      ? [missing('secureJsonData', 'basicAuthPassword', 'basicAuth')]
      : []),
    ...headerProblems(jsonData, secureJsonData, path, missing),
  ];
}

/** `httpHeaderName1` and `httpHeaderValue1`, and so on: Grafana stops at the first number without a name. */
function headerProblems(
  jsonData: Mapping,
  secureJsonData: Mapping,
  path: KeyPath,
  missing: (section: string, key: string, needs: string) => Problem,
): readonly Problem[] {
  const numbersOf = (section: Mapping, name: string): readonly number[] =>
    Object.keys(section)
      .flatMap((key) => new RegExp(`^${name}([1-9]\\d*)$`).exec(key)?.[1] ?? [])
      .map(Number);
  const names = numbersOf(jsonData, 'httpHeaderName');
  const values = numbersOf(secureJsonData, 'httpHeaderValue');
  const gap = [0, ...names].findIndex((_, at) => !names.includes(at + 1)) + 1;
  const ignored = names.find((number) => number > gap);
  return [
    ...names
      .filter((number) => !values.includes(number))
      .map((number) => missing('secureJsonData', `httpHeaderValue${number}`, `httpHeaderName${number}`)),
    ...values
      .filter((number) => !names.includes(number))
      .map((number): Problem => {
        return { ...missing('jsonData', `httpHeaderName${number}`, `httpHeaderValue${number}`), severity: 'warning' };
      }),
    ...(ignored === undefined
      ? []
      : [
          {
            severity: 'warning' as const,
            code: 'unknown-key',
            path: [...path, 'jsonData', `httpHeaderName${ignored}`],
            atKey: true,
            message: `Grafana ignores httpHeaderName${ignored}: there is no httpHeaderName${gap}`,
            hint: 'number the headers from 1, without gaps',
          },
        ]),
  ];
}

function organizationProblems({ orgId }: Datasource, path: KeyPath): readonly Problem[] {
  if (orgId === 1) return [];
  return [
    {
      severity: 'warning',
      code: 'organisation',
      path: [...path, 'orgId'],
      message: `promstack does not create organizations: while organization ${orgId} is missing, Grafana loads none of the datasources`,
      hint: 'create it in Grafana first, or remove orgId',
    },
  ];
}
