import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { decodeUtf8 } from '../../servers/pushgateway/decode.ts';
import { asTyped } from '../../util/display-path.ts';
import { misuse } from '../../util/misuse.ts';
import { InputError, StackError } from '../../util/stack-error.ts';
import type { Context } from '../context.ts';

/** A text to push and what to call it. */
export interface Source {
  readonly file: string;
  readonly text: string;
}

/** The text of a file, or of stdin when none is named; an InputError when there is none or it is no text. */
export async function readSource(
  { cwd, stdin }: Pick<Context, 'cwd' | 'stdin'>,
  file: string | undefined,
): Promise<Source> {
  if (file === undefined || file === '-') {
    if ('isTTY' in stdin && stdin.isTTY === true) {
      throw new InputError([
        misuse('there is nothing to push', 'name a file, pipe metrics in, or say --var name=value'),
      ]);
    }
    return decoded(await buffer(stdin), '<stdin>');
  }
  const path = resolve(cwd, file);
  const name = asTyped(path, cwd);
  try {
    return decoded(await readFile(path), name);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error;
    if (error.code === 'ENOENT') throw new InputError([misuse(`there is no file ${name}`)]);
    throw new StackError({ doing: `reading ${name}`, why: error.message, cause: error });
  }
}

function decoded(bytes: Buffer, file: string): Source {
  const text = decodeUtf8(bytes, file);
  if (!text.ok) throw new InputError(text.error);
  return { file, text: text.value };
}
