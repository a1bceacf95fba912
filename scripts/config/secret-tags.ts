import { type CollectionTag, isCollection, isMap, isScalar, Scalar, type ScalarTag, type YAMLMap } from 'yaml';
import { Secret } from '../../stack/secret.ts';
import { andList } from '../../stack/values/words.ts';
import type { Unreadable } from '../util/read-text.ts';
import { addSecret } from '../util/redaction.ts';
import type { Environment } from './environment.ts';

/** The sources of `!env` and `!file`. */
export interface SecretSource {
  readonly environment: Pick<Environment, 'get' | 'file'>;
  /** Reads a file, by its path as written in the YAML. */
  readFile(path: string): Promise<string | Unreadable>;
  /** Texts of secrets that cannot be read here, by their origin: `!env SLACK_URL`. */
  readonly substitutes?: ReadonlyMap<string, string> | undefined;
}

/** The value of a tag in the document, and the position of the tag. */
export interface ReadSecret {
  readonly secret: Secret;
  readonly from: number;
  readonly to: number;
}

/** Why a secret could not be read. */
interface SecretError {
  /** Absent when the tag itself is wrong. */
  readonly origin?: string | undefined;
  readonly code: string;
  readonly message: string;
  readonly hint: string;
}

export type SecretProblem = ReadSecret & SecretError;

/** A kind of secret: its tag, and the keys of its longer form `!env {name: NAME, inline: true}`. */
interface SecretKind {
  readonly tag: string;
  readonly key: string;
  readonly hasDefault: boolean;
  readonly read: (form: SecretForm, source: SecretSource) => Promise<string | SecretError>;
}

const kinds: readonly SecretKind[] = [
  { tag: '!env', key: 'name', hasDefault: true, read: fromEnvironment },
  { tag: '!file', key: 'path', hasDefault: false, read: fromFile },
];

/** What follows the tag. */
interface SecretForm {
  readonly argument: string;
  readonly isInline: boolean;
  /** The text when the variable is not set. */
  readonly default?: string | undefined;
}

/** The tags `!env NAME` and `!file PATH` of one document. Their Secrets are empty until `fill` has read them. */
export function secretTags(): {
  readonly tags: (ScalarTag | CollectionTag)[];
  /** The secrets and those of them that could not be read. */
  fill(
    source: SecretSource,
  ): Promise<{ readonly secrets: readonly ReadSecret[]; readonly problems: readonly SecretProblem[] }>;
} {
  const references: { node: Scalar<Secret>; kind: SecretKind; form: SecretForm }[] = [];
  const refused: { node: Scalar<Secret>; refusal: SecretError }[] = [];

  const refer = (kind: SecretKind, form: SecretForm): Scalar => {
    const node = new Scalar(new Secret('', `${kind.tag} ${form.argument}`, form.isInline));
    references.push({ node, kind, form });
    return node;
  };
  const fromMap = (kind: SecretKind, map: YAMLMap): Scalar => {
    const form = readLongForm(kind, map);
    if ('argument' in form) return refer(kind, form);
    const node = new Scalar(new Secret('', kind.tag, true));
    refused.push({ node, refusal: form });
    return node;
  };

  return {
    tags: kinds.flatMap((kind): (ScalarTag | CollectionTag)[] => [
      { tag: kind.tag, resolve: (written) => refer(kind, { argument: written.trim(), isInline: false }) },
      { tag: kind.tag, collection: 'map', resolve: (map) => (isMap(map) ? fromMap(kind, map) : map) },
    ]),
    async fill(source) {
      for (const { node, kind, form } of references) {
        const origin = node.value.origin;
        const text = await kind.read(form, source);
        if (typeof text === 'string') {
          addSecret(text);
          node.value = new Secret(text, origin, form.isInline);
          continue;
        }
        const isWritten = text.code !== 'env-name' && form.argument !== '';
        refused.push({ node, refusal: isWritten ? { ...text, origin } : text });
        const substitute = source.substitutes?.get(origin);
        if (substitute === undefined) continue;
        addSecret(substitute);
        node.value = new Secret(substitute, origin, form.isInline);
      }
      const read = ({ node: { value, range } }: { readonly node: Scalar<Secret> }): ReadSecret => {
        return { secret: value, from: range?.[0] ?? 0, to: range?.[1] ?? 0 };
      };
      const problems = refused.map(({ node, refusal }) => ({ ...refusal, ...read({ node }) }));
      return { secrets: references.map(read), problems };
    },
  };
}

/** The long form, or what is wrong with it. */
function readLongForm({ tag, key, hasDefault }: SecretKind, map: YAMLMap): SecretForm | SecretError {
  const argument = map.get(key);
  const inline = map.has('inline') ? map.get('inline') : false;
  const known = [key, ...(hasDefault ? ['default'] : []), 'inline'];
  const unknown = map.items.filter((pair) => !isScalar(pair.key) || !known.includes(String(pair.key.value)));
  if (typeof argument !== 'string' || typeof inline !== 'boolean' || unknown.length > 0) {
    return {
      code: 'secret-form',
      message: `${tag} takes only the keys ${andList(known, '')}`,
      hint: `${tag} {${key}: …, inline: true} puts the secret into the config file itself`,
    };
  }
  const form = { argument: argument.trim(), isInline: inline };
  if (!map.has('default')) return form;
  const preset = map.get('default');
  if (preset !== undefined && !isCollection(preset) && !(preset instanceof Secret))
    return { ...form, default: String(preset) };
  return {
    code: 'secret-form',
    message: `the default of ${tag} is a string`,
    hint: `${tag} {${key}: …, default: ""} stands for an empty string`,
  };
}

async function fromEnvironment(
  { argument: name, default: preset }: SecretForm,
  { environment }: SecretSource,
): Promise<string | SecretError> {
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) {
    const message = '!env takes the name of an environment variable';
    return { code: 'env-name', message, hint: 'such as !env SLACK_URL' };
  }
  const variable = environment.get(name);
  if (variable === undefined) {
    if (preset !== undefined) return preset;
    const hint = `export ${name}=… before you run promstack, or add ${name}=… to ${environment.file}`;
    return { code: 'env-unset', message: `the environment variable ${name} is not set`, hint };
  }
  if (variable.text !== '' || preset !== undefined) return variable.text;
  const { where } = variable;
  return {
    code: 'env-empty',
    message: `the environment variable ${name} is empty${where === undefined ? '' : ` in ${where.file}:${where.line}`}`,
    hint:
      where === undefined
        ? `export ${name}=… before you run promstack; an empty variable counts as set`
        : `write ${name}=… there`,
  };
}

async function fromFile({ argument: path }: SecretForm, source: SecretSource): Promise<string | SecretError> {
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
