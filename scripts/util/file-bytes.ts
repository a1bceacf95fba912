import { isUtf8 } from 'node:buffer';
import { contentOf, type Secret } from '../../stack/secret.ts';

/** A file's content: text, or, if it is not UTF-8, a string in which each character stands for one byte. */
export interface FileText {
  readonly content: string;
  readonly isBinary?: boolean | undefined;
}

export function fromBytes(bytes: Buffer): FileText {
  return isUtf8(bytes) ? { content: bytes.toString('utf8') } : { content: bytes.toString('latin1'), isBinary: true };
}

export function toBytes(file: { readonly content: string | Secret; readonly isBinary?: boolean | undefined }): Buffer {
  return Buffer.from(contentOf(file), file.isBinary === true ? 'latin1' : 'utf8');
}
