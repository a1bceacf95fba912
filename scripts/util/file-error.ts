import { StackError } from './stack-error.ts';

/** Files fail in ways a person can mend, which come as a StackError; everything else is given back as it is. */
export function fileError(doing: string, error: unknown): unknown {
  const { code, message } = error as NodeJS.ErrnoException;
  // The system's own codes; those of Node are told apart by an underscore, and are mistakes of ours.
  if (!(error instanceof Error) || code === undefined || !/^E[A-Z0-9]+$/.test(code)) return error;
  return new StackError({ doing, why: sentences[code] ?? message, cause: error });
}

const sentences: Readonly<Record<string, string>> = {
  EACCES: 'this user may not read or write it',
  ECONNRESET: 'the engine ended the connection',
  EISDIR: 'it is a folder',
  ELOOP: 'its symlinks lead round in a circle',
  ENAMETOOLONG: 'its name is too long',
  ENOENT: 'there is no such file or folder',
  ENOSPC: 'there is no room left on it',
  ENOTDIR: 'what should be a folder on the way to it is a file',
  EPERM: 'this user may not read or write it',
  EPIPE: 'nobody reads it any more',
  EROFS: 'it is on a disk that can only be read',
};
