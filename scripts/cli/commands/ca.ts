import * as z from 'zod';
import { stackLabel } from '../../engine/labels.ts';
import { notFound, servicesAmong } from '../../state/find-stack.ts';
import { readInternalCa } from '../../state/internal-ca.ts';
import { StackError } from '../../util/stack-error.ts';
import { exitCodes } from '../context.ts';
import { defineCommand } from './command.ts';
import { connectEngine, stackNameOf } from './find-stack.ts';

export const command = defineCommand({
  details:
    'Prints the certificate of the CA that `access: {tls: internal}` of stack.yml makes, in PEM format, so that browsers ' +
    'and programs outside of the stack can verify its servers. It is no secret; the key of the CA is never printed.',
  examples: [
    { line: 'ca > ca.pem', what: 'curl --cacert ca.pem https://127.0.0.1:9090 then verifies Prometheus' },
    { line: 'ca --json', what: 'with its fingerprint and the day it expires' },
  ],
  json: () =>
    z.strictObject({
      certificate: z.string(),
      fingerprint: z.string(),
      expiresAt: z.iso.datetime(),
    }),
  run: async (context) => {
    const { stack, origin } = await stackNameOf(context);
    await using engine = await connectEngine(context);
    const containers = servicesAmong(stack, await engine.listContainers({ [stackLabel]: stack }));
    if (containers.size === 0) throw await notFound(engine, stack, origin);
    const ca = await readInternalCa(engine, stack, containers);
    if (ca === undefined) {
      throw new StackError({
        doing: `reading the CA of the stack ${stack}`,
        why: 'none of its servers has a certificate of an internal CA',
        tryThis: 'write `access: {tls: internal}` into stack.yml, and run `promstack up`, which makes the CA',
      });
    }
    const { fingerprint256: fingerprint, validTo } = ca;
    context.result({ certificate: ca.toString(), fingerprint, expiresAt: new Date(validTo).toISOString() });
    context.stdout.write(ca.toString());
    return exitCodes.fine;
  },
});
