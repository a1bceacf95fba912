import { createHash } from 'node:crypto';

/** The first 12 hex digits of a text's SHA-256: short, and long enough to be unique in a stack. */
export function shortHash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 12);
}

/** The MD5 digest of a text, for servers that identify their config by it. */
export function md5(text: string): Uint8Array {
  return createHash('md5').update(text).digest();
}
