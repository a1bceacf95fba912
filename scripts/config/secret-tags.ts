import { type CollectionTag, isMap, Scalar, type ScalarTag, type YAMLMap } from 'yaml';
import { Secret } from '../../stack/secret.ts';
import type { Unreadable } from '../util/read-text.ts';
import { addSecret } from '../util/redaction.ts';

/** The sources of `!env` and `!file`. */
export interface SecretSource {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Reads a file, by its path as written in the YAML. */
  readFile(path: string): Promise<string | Unreadable>;
  /** Texts of secrets that cannot be read here, by their origin: `!env SLACK_URL`. */
  readonly substitutes?: ReadonlyMap<string, string> | undefined;
}

/** A secret that could not be read, and the position of its tag. */
export interface SecretProblem {
  /** Absent when the tag itself is wrong. */
  readonly origin?: string | undefined;
  readonly code: string;
  readonly message: string;
  readonly hint: string;
  readonly from: number;
  readonly to: number;
}

type SecretError = Omit<SecretProblem, 'from' | 'to'>;

/** A kind of secret: its tag, and the key of its longer form `!env {name: NAME, inline: true}`. */
interface SecretKind {
  readonly tag: string;
  readonly key: string;
  readonly read: (argument: string, source: SecretSource) => Promise<string | SecretError>;
}

const kinds: readonly SecretKind[] = [
  { tag: '!env', key: 'name', read: fromEnvironment },
  { tag: '!file', key: 'path', read: fromFile },
];

/** The tags `!env NAME` and `!file PATH` of one document. Their Secrets are empty until `fill` has read them. */
export function secretTags(): {
  readonly tags: (ScalarTag | CollectionTag)[];
  fill(source: SecretSource): Promise<readonly SecretProblem[]>;
} {
  const references: { node: Scalar; kind: SecretKind; argument: string; isInline: boolean }[] = [];
  const malformed: { node: Scalar; refusal: SecretError }[] = [];

  const refer = (kind: SecretKind, argument: string, isInline: boolean): Scalar => {
    const node = new Scalar(new Secret('', `${kind.tag} ${argument}`, isInline));
    references.push({ node, kind, argument, isInline });
    return node;
  };
  const fromMap = (kind: SecretKind, map: YAMLMap): Scalar => {
    const form = readLongForm(kind, map);
    if (form !== undefined) return refer(kind, form.argument, form.isInline);
    const node = new Scalar(new Secret('', kind.tag, true));
    malformed.push({
      node,
      refusal: {
        code: 'secret-form',
        message: `${kind.tag} takes only the keys ${kind.key} and inline`,
        hint: `${kind.tag} {${kind.key}: …, inline: true} puts the secret into the config file itself`,
      },
    });
    return node;
  };

  return {
    tags: kinds.flatMap((kind): (ScalarTag | CollectionTag)[] => [
      { tag: kind.tag, resolve: (written) => refer(kind, written.trim(), false) },
      { tag: kind.tag, collection: 'map', resolve: (map) => (isMap(map) ? fromMap(kind, map) : map) },
    ]),
    async fill(source) {
      const refused: { node: Scalar; refusal: SecretError }[] = [...malformed];
      const texts = new Map<string, string | SecretError>();
      for (const { node, kind, argument, isInline } of references) {
        const origin = `${kind.tag} ${argument}`;
        // A pipe can be read only once.
        const text = texts.get(origin) ?? (await kind.read(argument, source));
        texts.set(origin, text);
        if (typeof text === 'string') {
          addSecret(text);
          node.value = new Secret(text, origin, isInline);
          continue;
        }
        const isWritten = text.code !== 'env-name' && argument !== '';
        refused.push({ node, refusal: isWritten ? { ...text, origin } : text });
        const substitute = source.substitutes?.get(origin);
        if (substitute === undefined) continue;
        addSecret(substitute);
        node.value = new Secret(substitute, origin, isInline);
      }
      return refused.map(({ node, refusal }) => ({ ...refusal, from: node.range?.[0] ?? 0, to: node.range?.[1] ?? 0 }));
    },
  };
}

/** The argument and `inline` of the long form; undefined when it is malformed. */
function readLongForm({ key }: SecretKind, map: YAMLMap): { argument: string; isInline: boolean } | undefined {
  const argument = map.get(key);
  const inline = map.has('inline') ? map.get('inline') : false;
  if (typeof argument !== 'string' || typeof inline !== 'boolean') return undefined;
  if (map.items.length > (map.has('inline') ? 2 : 1)) return undefined;
  return { argument: argument.trim(), isInline: inline };
}

async function fromEnvironment(name: string, { env }: SecretSource): Promise<string | SecretError> {
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) {
    const message = '!env takes the name of an environment variable';
    return { code: 'env-name', message, hint: 'such as !env SLACK_URL' };
  }
  const text = Object.hasOwn(env, name) ? env[name] : undefined;
  if (text !== undefined && text !== '') return text;
  return {
    code: text === undefined ? 'env-unset' : 'env-empty',
    message: `the environment variable ${name} is ${text === undefined ? 'not set' : 'empty'}`,
    hint: `export ${name}=… before you run promstack`,
  };
}

async function fromFile(path: string, source: SecretSource): Promise<string | SecretError> {
  const code = 'secret-file';
  if (path === '') return { code, message: '!file takes the path of a file', hint: 'such as !file secrets/slack-url' };
  const content = await source.readFile(path);
  if (typeof content !== 'string') {
    const { because, hint = 'paths are relative to the folder of stack.yml' } = content;
    return { code, message: `the secret file ${path} ${because}`, hint };
  }
  // Editors add a line break at the end of the file that is not part of the secret.
  const text = content.replace(/\r?\n$/, '');
  if (text === '') return { code, message: `the secret file ${path} is empty`, hint: 'write the secret into it' };
  if (!text.includes('\0')) return text;
  return {
    code,
    message: `the secret file ${path} contains a NUL byte`,
    hint: 'a secret is text: encode it, as in base64',
  };
}
