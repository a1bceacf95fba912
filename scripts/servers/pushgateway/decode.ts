import type { Diagnostic } from '../../../stack/diagnostic.ts';
import { fail, ok, type Result } from '../../util/result.ts';

/** Bytes as UTF-8 text, a byte order mark kept; points at the first byte that is none. */
export function decodeUtf8(bytes: Uint8Array, file: string): Result<string> {
  try {
    return ok(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch {
    return fail([sayWhere(bytes, file)]);
  }
}

function sayWhere(bytes: Uint8Array, file: string): Diagnostic {
  // The lenient decoder puts U+FFFD where the first wrong byte is, unless one was there in the text already.
  const lenient = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
  const encoder = new TextEncoder();
  let at = lenient.indexOf('\uFFFD');
  while (isGenuine(bytes, encoder.encode(lenient.slice(0, at)).length)) at = lenient.indexOf('\uFFFD', at + 1);
  const before = lenient.slice(0, at);
  const line = before.split('\n').length;
  return {
    severity: 'error',
    code: 'not-utf8',
    message: 'this is not UTF-8 text',
    hint: 'convert it: iconv -f ISO-8859-1 -t UTF-8',
    where: { file, line, column: at - before.lastIndexOf('\n'), offset: at, length: 1 },
  };
}

function isGenuine(bytes: Uint8Array, at: number): boolean {
  return bytes[at] === 0xef && bytes[at + 1] === 0xbf && bytes[at + 2] === 0xbd;
}
