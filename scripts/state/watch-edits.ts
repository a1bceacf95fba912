import * as z from 'zod';
import type { Engine } from '../engine/engine.ts';
import { redactIn } from '../util/redaction.ts';
import type { ConfigFiles } from './config-files.ts';
import { findStack, historyOwner } from './find-stack.ts';

/** The number of edits to keep. */
const maxEdits = 50;

const mistakeSchema = z.object({
  severity: z.enum(['error', 'warning', 'note']),
  message: z.string(),
  hint: z.string().optional(),
  /** `rules/disk.yml:14:7`. */
  place: z.string().optional(),
  /** The line of source, and marks below it. */
  excerpt: z.array(z.string()).readonly(),
});

const editSchema = z.object({
  /** ISO 8601, UTC. */
  at: z.string(),
  /** `user@host`. */
  who: z.string(),
  mistakes: z.array(mistakeSchema).readonly(),
  /** Why it was not applied, when it has no mistakes: it needs a container to be recreated. */
  why: z.string().optional(),
  tryThis: z.string().optional(),
});

/** An edit that `watch` did not apply. */
export type RefusedEdit = z.infer<typeof editSchema>;

const fileSchema = z.object({ edits: z.array(editSchema) });

const folder = 'state';
const file = 'watch.json';

/** The edits that `watch` did not apply, oldest first. They are on the engine, beside the history. */
export async function readRefusedEdits(files: ConfigFiles): Promise<readonly RefusedEdit[]> {
  const [entry] = (await files.readAside(historyOwner, `${folder}/${file}`)) ?? [];
  if (entry?.kind !== 'file') return [];
  try {
    return fileSchema.parse(JSON.parse(entry.content.toString('utf8'))).edits;
  } catch {
    // Of another version of promstack.
    return [];
  }
}

/**
 * Adds an edit, without secrets. Without the stack's lock, which an invalid edit must not wait for: of two that are added at once,
 * one may be lost.
 */
export async function addRefusedEdit(engine: Engine, stack: string, edit: RefusedEdit): Promise<void> {
  const { files } = await findStack(engine, stack);
  const edits = [...(await readRefusedEdits(files)), redactIn(edit)].slice(-maxEdits);
  const content = Buffer.from(`${JSON.stringify({ edits } satisfies z.infer<typeof fileSchema>, null, 2)}\n`);
  const root = { uid: 0, gid: 0 } as const;
  await files.write([
    { kind: 'directory', path: `${historyOwner}/${folder}`, mode: 0o755, ...root },
    { kind: 'file', path: `${historyOwner}/${folder}/${file}`, content, mode: 0o644, ...root },
  ]);
}
