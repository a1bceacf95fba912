import { createCipheriv, createDecipheriv, randomBytes, scryptSync } from 'node:crypto';
import { StackError } from '../../util/stack-error.ts';

/**
 * The format of `secrets.enc`: the line below, 16 bytes of salt, 12 of the nonce, 16 of the tag, and the content encrypted by AES-256-GCM
 * with the key that scrypt (N 32768, r 8, p 1) makes of the passphrase in UTF-8.
 */
const magic = Buffer.from('promstack secrets 1: scrypt, aes-256-gcm\n');
const saltLength = 16;
const nonceLength = 12;
const tagLength = 16;

export function encrypt(content: Buffer, passphrase: string): Buffer {
  const [salt, nonce] = [randomBytes(saltLength), randomBytes(nonceLength)];
  const cipher = createCipheriv('aes-256-gcm', keyOf(passphrase, salt), nonce);
  const encrypted = Buffer.concat([cipher.update(content), cipher.final()]);
  return Buffer.concat([magic, salt, nonce, cipher.getAuthTag(), encrypted]);
}

/** Throws a StackError for a wrong passphrase. */
export function decrypt(encrypted: Buffer, passphrase: string): Buffer {
  const doing = 'decrypting the secrets of the backup';
  if (!encrypted.subarray(0, magic.length).equals(magic)) {
    throw new StackError({ doing, why: 'their format is unknown', tryThis: 'use the promstack that wrote the backup' });
  }
  const content = encrypted.subarray(magic.length);
  const ends = [saltLength, saltLength + nonceLength, saltLength + nonceLength + tagLength] as const;
  const salt = content.subarray(0, ends[0]);
  const nonce = content.subarray(ends[0], ends[1]);
  const tag = content.subarray(ends[1], ends[2]);
  const decipher = createDecipheriv('aes-256-gcm', keyOf(passphrase, salt), nonce);
  decipher.setAuthTag(tag);
  try {
    return Buffer.concat([decipher.update(content.subarray(ends[2])), decipher.final()]);
  } catch (cause) {
    throw new StackError({ doing, why: 'the passphrase is wrong', tryThis: 'use the one of the backup', cause });
  }
}

function keyOf(passphrase: string, salt: Buffer): Buffer {
  return scryptSync(passphrase, salt, 32, { N: 32_768, r: 8, p: 1, maxmem: 64 * 1024 * 1024 });
}
