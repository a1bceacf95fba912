import type { KeyPath, Problem } from '../diagnostic.ts';
import type { Secret } from '../secret.ts';
import { plainTextOrigin } from '../values/schemas.ts';

/** The parts of a URL that names a database, with its escapes decoded. */
export interface DataSource {
  readonly user: string;
  readonly password: string;
  /** `db:5432`. */
  readonly host: string;
  /** What follows the host: `/shop?sslmode=disable`. */
  readonly rest: string;
}

/** Reads `postgresql://user:password@db:5432/shop`; a password may contain @ and /. Undefined for anything else. */
export function parseDataSource(text: string, schemes: readonly string[]): DataSource | undefined {
  const [, scheme = '', user = '', password = '', host, rest = ''] =
    /^([a-z]+):\/\/(?:([^:@/]*)(?::(.*))?@)?([^@/?#\s]+)((?:\/[^?#\s]*)?(?:\?[^#\s]*)?)$/.exec(text.trim()) ?? [];
  if (host === undefined || !schemes.includes(scheme)) return undefined;
  return { user: decoded(user), password: decoded(password), host, rest };
}

/** A password may have a % that escapes nothing. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** A data source that is absent or has another form; its text is not part of the message. */
export function dataSourceProblems(
  dsn: Secret | undefined,
  path: KeyPath,
  {
    schemes,
    example,
    program,
  }: { readonly schemes: readonly string[]; readonly example: string; readonly program: string },
): readonly Problem[] {
  if (dsn === undefined) {
    const hint = `write "dsn: !env NAME", with a variable such as ${example}`;
    return [
      { code: 'missing-key', path, atKey: true, message: `${program} needs the key "dsn": the database to read`, hint },
    ];
  }
  // The load reports a secret without its text.
  if (dsn.reveal() === '' || parseDataSource(dsn.reveal(), schemes) !== undefined) return [];
  const hint = `write it as ${example}`;
  return [
    {
      code: 'wrong-dsn',
      path: [...path, 'dsn'],
      message: `the data source${dsn.origin === plainTextOrigin ? '' : ` ${dsn.origin}`} is not a URL that ${program} can use`,
      hint,
    },
  ];
}
