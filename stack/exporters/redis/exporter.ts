import * as z from 'zod';
import { Secret } from '../../secret.ts';
import { secretsFolder } from '../../secrets/secret-files.ts';
import { isAddress } from '../../values/addresses.ts';
import { configDir } from '../../values/container.ts';
import { defaultImages } from '../../values/default-images.ts';
import { secretText } from '../../values/schemas.ts';
import { quoted } from '../../values/words.ts';
import { defineExporter } from '../exporter.ts';

const port = 9121;
const passwordsFile = `${secretsFolder}/passwords.json`;

export const redis = defineExporter({
  kind: 'redis',
  title: 'redis_exporter',
  description: 'A Redis or Valkey server: memory, clients, commands, keys, replication',
  defaultImage: defaultImages.redis,
  debian: {
    package: 'prometheus-redis-exporter',
    program: 'usr/bin/prometheus-redis-exporter',
    entrypoint: 'redis_exporter',
  },
  port,
  hasInstances: true,
  keys: {
    address: z.string().optional().meta({ description: 'The server, as HOST:6379, or rediss://HOST:6379 with TLS' }),
    user: z.string().min(1).optional().meta({ description: 'The user, where the server has several' }),
    password: secretText.optional().meta({ title: 'string, `!env` or `!file`', description: 'The password' }),
  },
  args: ({ address = '', user, password }) => [
    `-redis.addr=${urlOf(address)}`,
    ...(user === undefined ? [] : [`-redis.user=${user}`]),
    ...(password === undefined ? [] : [`-redis.password-file=${configDir}/${passwordsFile}`]),
    `-web.listen-address=:${port}`,
  ],
  files: ({ address = '', user, password }) => {
    if (password === undefined) return [];
    const server = user === undefined ? urlOf(address) : urlOf(address).replace('://', `://${user}@`);
    const content = new Secret(JSON.stringify({ [server]: password.reveal() }), password.origin);
    return [{ path: passwordsFile, content, secrets: [password, content] }];
  },
  problems: ({ address }, path) => {
    if (address === undefined) {
      const message = 'redis_exporter needs the key "address": the server to read';
      return [{ code: 'missing-key', path, atKey: true, message, hint: 'write "address: HOST:6379"' }];
    }
    if (address.includes('@')) {
      const hint = 'write only HOST:6379 here, and "password: !env NAME", with "user" where the server has several';
      return [
        {
          code: 'password-in-target',
          path: [...path, 'address'],
          message: 'the address has a login, which "docker inspect" would show',
          hint,
        },
      ];
    }
    if (isAddress(address.replace(/^rediss?:\/\//i, '').replace(/\/$/, ''))) return [];
    const message = `${quoted(address)} is not the address of a Redis server`;
    return [
      {
        code: 'wrong-target',
        path: [...path, 'address'],
        message,
        hint: 'write HOST:6379, or rediss://HOST:6379 with TLS',
      },
    ];
  },
});

function urlOf(address: string): string {
  return address.includes('://') ? address : `redis://${address}`;
}
