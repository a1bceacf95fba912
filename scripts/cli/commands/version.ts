import * as z from 'zod';
import type { EngineInfo, EngineKind, EngineLocation } from '../../engine/engine.ts';
import { StackError } from '../../util/stack-error.ts';
import { version } from '../../util/version.ts';
import { type Context, exitCodes } from '../context.ts';
import { defineCommand } from './command.ts';
import { connectEngine } from './find-stack.ts';

export const command = defineCommand({
  details: 'For the version of promstack alone, without looking for an engine: promstack --version.',
  json: () =>
    z.strictObject({
      version: z.string().describe('of promstack'),
      nodeVersion: z.string(),
      engine: z
        .strictObject({
          kind: z.enum(['docker', 'podman']),
          version: z.string(),
          arch: z.string(),
          address: z.string(),
          host: z.string().describe('where ports are published'),
          isLocal: z.boolean(),
        })
        .optional()
        .describe('absent when none was found'),
    }),
  run: async (context) => {
    const engine = await askEngine(context);
    const node = process.versions.node;
    context.result({ version: version(), nodeVersion: node, engine });
    const engineText = engine === undefined ? 'not found' : `${engine.kind} ${engine.version} at ${engine.address}`;
    context.stdout.write(`promstack  ${version()}\nnode       ${node}\nengine     ${engineText}\n`);
    return exitCodes.fine;
  },
});

async function askEngine(context: Context): Promise<(EngineInfo & EngineLocation & { kind: EngineKind }) | undefined> {
  try {
    await using engine = await connectEngine(context);
    return { kind: engine.kind, ...(await engine.info(context.signal)), ...engine.location };
  } catch (error) {
    if (error instanceof StackError) return undefined;
    throw error;
  }
}
