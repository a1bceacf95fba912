import { type CollectionTag, isMap, Scalar, type ScalarTag, type YAMLMap } from 'yaml';
import { Secret } from '../../stack/secret.ts';

/** Where `!env` and `!file` find what they name. */
export interface SecretSource {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The text of a file, by its path as written; throws the system's error when it cannot be read. */
  readFile(path: string): string;
}

/** A secret that could not be had, and where its name stands. */
export interface SecretProblem {
  readonly code: string;
  readonly message: string;
  readonly hint: string;
  readonly from: number;
  readonly to: number;
}

type Found = { readonly text: string } | { readonly code: string; readonly message: string; readonly hint: string };

/** A kind of secret: its tag, what it is called by, and how it is had. */
interface SecretKind {
  readonly tag: string;
  /** The key of the longer form: `!env {name: NAME, inline: true}`. */
  readonly key: string;
  readonly find: (argument: string, source: SecretSource) => Found;
}

const kinds: readonly SecretKind[] = [
  { tag: '!env', key: 'name', find: fromEnvironment },
  { tag: '!file', key: 'path', find: fromFile },
];

/**
 * The tags `!env NAME` and `!file PATH`, each with a longer form that says `inline: true`, whose values are Secrets; what
 * could not be had is asked for when the parse is done.
 */
export function secretTags(source: SecretSource): {
  readonly tags: (ScalarTag | CollectionTag)[];
  problems(): readonly SecretProblem[];
} {
  const failed: { node: Scalar; told: Exclude<Found, { text: string }> }[] = [];

  const toNode = ({ tag }: SecretKind, argument: string, isInline: boolean, found: Found): Scalar => {
    // A secret that is missing is still a secret: so one mistake is told once.
    const node = new Scalar(new Secret('text' in found ? found.text : '', `${tag} ${argument}`, isInline));
    if (!('text' in found)) failed.push({ node, told: found });
    return node;
  };

  return {
    tags: kinds.flatMap((kind): (ScalarTag | CollectionTag)[] => [
      {
        tag: kind.tag,
        resolve: (written) => toNode(kind, written.trim(), false, kind.find(written.trim(), source)),
      },
      {
        tag: kind.tag,
        collection: 'map',
        resolve: (map) => {
          const said = isMap(map) ? readLongForm(kind, map) : undefined;
          if (said !== undefined) return toNode(kind, said.argument, said.isInline, kind.find(said.argument, source));
          return toNode(kind, '', true, {
            code: 'secret-form',
            message: `${kind.tag} takes the keys ${kind.key} and inline, and nothing else`,
            hint: `${kind.tag} {${kind.key}: …, inline: true} puts the secret into the config file itself`,
          });
        },
      },
    ]),
    problems: () =>
      failed.map(({ node, told }) => {
        const [from, to] = node.range ?? [0, 0];
        return { ...told, from, to };
      }),
  };
}

/** What the longer form says; undefined when it says something else. */
function readLongForm({ key }: SecretKind, map: YAMLMap): { argument: string; isInline: boolean } | undefined {
  const argument = map.get(key);
  const inline = map.has('inline') ? map.get('inline') : false;
  if (typeof argument !== 'string' || typeof inline !== 'boolean') return undefined;
  if (map.items.length > (map.has('inline') ? 2 : 1)) return undefined;
  return { argument: argument.trim(), isInline: inline };
}

function fromEnvironment(name: string, { env }: SecretSource): Found {
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) {
    return {
      code: 'env-name',
      message: '!env takes the name of an environment variable',
      hint: 'such as !env SLACK_URL',
    };
  }
  const text = Object.hasOwn(env, name) ? env[name] : undefined;
  if (text === undefined) {
    return {
      code: 'env-unset',
      message: `the environment variable ${name} is not set`,
      hint: `export ${name}=… before you run promstack`,
    };
  }
  if (text === '') {
    return {
      code: 'env-empty',
      message: `the environment variable ${name} is empty`,
      hint: `export ${name}=… before you run promstack`,
    };
  }
  return { text };
}

function fromFile(path: string, source: SecretSource): Found {
  if (path === '') {
    return { code: 'secret-file', message: '!file takes the path of a file', hint: 'such as !file secrets/slack-url' };
  }
  try {
    // Editors end a file with a line break that is no part of the secret.
    const text = source.readFile(path).replace(/\r?\n$/, '');
    if (text !== '') return { text };
    return { code: 'secret-file', message: `the secret file ${path} is empty`, hint: 'write the secret into it' };
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code;
    const why = reason === 'ENOENT' ? 'is not there' : `cannot be read (${reason ?? 'unknown reason'})`;
    return {
      code: 'secret-file',
      message: `the secret file ${path} ${why}`,
      hint: 'paths are relative to the folder of stack.yml',
    };
  }
}
