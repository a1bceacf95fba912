import type { Engine } from '../../scripts/engine/engine.ts';
import { buildFromPackages } from '../../scripts/engine/images/packages.ts';
import { newestBuilt, type Recipe } from '../../scripts/engine/images/recipes.ts';

const plain = { replaces: [], home: '/home', isVolume: false, command: [] } as const;

/** Servers from Debian's packages: for exporters to read, and to compare with. */
const recipes = {
  vmalert: {
    ...plain,
    program: 'test-vmalert',
    packages: ['victoria-metrics'],
    programs: { 'bin/victoria-metrics': 'usr/bin/victoria-metrics', 'bin/vmalert': 'usr/bin/vmalert' },
    port: 8428,
    entrypoint: ['/bin/victoria-metrics'],
  },
  redis: {
    ...plain,
    program: 'test-redis',
    packages: ['redis-server'],
    programs: { 'bin/redis': 'usr/bin/redis-server' },
    port: 6379,
    entrypoint: ['/bin/redis'],
  },
  postgres: {
    ...plain,
    program: 'test-postgres',
    packages: ['postgresql-18'],
    programs: {
      'bin/initdb': 'usr/lib/postgresql/18/bin/initdb',
      'bin/postgres': 'usr/lib/postgresql/18/bin/postgres',
    },
    port: 5432,
    entrypoint: ['/bin/sh'],
  },
  mysqld: {
    ...plain,
    program: 'test-mysqld',
    packages: ['mariadb-server'],
    programs: { 'bin/mysqld': 'usr/sbin/mariadbd' },
    port: 3306,
    entrypoint: ['/bin/sh'],
  },
  nginx: {
    ...plain,
    program: 'test-nginx',
    packages: ['nginx'],
    programs: { 'bin/nginx': 'usr/sbin/nginx' },
    port: 8080,
    entrypoint: ['/bin/sh'],
  },
  apache: {
    ...plain,
    program: 'test-apache',
    packages: ['apache2-bin'],
    programs: { 'bin/apache2': 'usr/sbin/apache2' },
    port: 8080,
    entrypoint: ['/bin/sh'],
  },
  haproxy: {
    ...plain,
    program: 'test-haproxy',
    packages: ['haproxy'],
    programs: { 'bin/haproxy': 'usr/sbin/haproxy' },
    port: 8404,
    entrypoint: ['/bin/sh'],
  },
  caddy: {
    ...plain,
    program: 'test-caddy',
    packages: ['caddy'],
    programs: { 'bin/caddy': 'usr/bin/caddy' },
    port: 443,
    entrypoint: ['/bin/caddy'],
  },
  snmp: {
    ...plain,
    program: 'test-snmp',
    packages: ['snmpd'],
    programs: { 'bin/snmpd': 'usr/sbin/snmpd' },
    port: 161,
    entrypoint: ['/bin/sh'],
  },
} as const satisfies Readonly<Record<string, Recipe>>;

/** Those that exporters read. */
export type TestServer = Exclude<keyof typeof recipes, 'vmalert' | 'caddy'>;

/** The images of servers, built when they are absent. */
export async function serverImages(
  engine: Engine,
  names: readonly (keyof typeof recipes)[],
): Promise<Readonly<Record<string, string>>> {
  const wanted = names.map((name) => [name, recipes[name]] as const);
  const find = async () => {
    const present = await engine.listImages({});
    return wanted.map(([name, recipe]) => [name, recipe, newestBuilt(recipe, present)?.tag] as const);
  };
  const missing = (await find()).flatMap(([, recipe, tag]) => (tag === undefined ? [recipe] : []));
  if (missing.length > 0) await buildFromPackages(engine, missing, () => undefined, AbortSignal.timeout(240_000));
  return Object.fromEntries(
    (await find()).map(([name, , tag]) => {
      if (tag === undefined) throw new Error(`the image of ${name} could not be built from Debian's packages`);
      return [name, tag];
    }),
  );
}
