import { Scalar, type ScalarTag } from 'yaml';
import { Secret } from '../../stack/secret.ts';
import type { SecretSource } from './yaml-source.ts';

/** A secret that could not be had, and where its name stands. */
export interface SecretProblem {
  readonly code: string;
  readonly message: string;
  readonly hint: string;
  readonly from: number;
  readonly to: number;
}

type Found = { readonly text: string } | { readonly code: string; readonly message: string; readonly hint: string };

/** The tags `!env NAME` and `!file PATH`, whose values are Secrets; what could not be had is asked for when the parse is done. */
export function secretTags(source: SecretSource): {
  readonly tags: ScalarTag[];
  problems(): readonly SecretProblem[];
} {
  const failed: { node: Scalar; told: Exclude<Found, { text: string }> }[] = [];

  const tag = (name: string, find: (argument: string) => Found): ScalarTag => ({
    tag: name,
    resolve: (written) => {
      const found = find(written.trim());
      // A secret that is missing is still a secret: so one mistake is told once.
      const node = new Scalar(new Secret('text' in found ? found.text : '', `${name} ${written.trim()}`));
      if (!('text' in found)) failed.push({ node, told: found });
      return node;
    },
  });

  return {
    tags: [tag('!env', (name) => fromEnvironment(name, source)), tag('!file', (path) => fromFile(path, source))],
    problems: () =>
      failed.map(({ node, told }) => {
        const [from, to] = node.range ?? [0, 0];
        return { ...told, from, to };
      }),
  };
}

function fromEnvironment(name: string, { env }: SecretSource): Found {
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) {
    return {
      code: 'env-name',
      message: '!env takes the name of an environment variable',
      hint: 'such as !env SLACK_URL',
    };
  }
  const text = env[name];
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
