import { buffer } from 'node:stream/consumers';
import type { Report } from '../../util/event.ts';
import { StackError } from '../../util/stack-error.ts';
import { entriesOf, verifyArchive } from './archive.ts';
import { type BackupHeader, entryNames, format, headerSchema, type Manifest, manifestSchema } from './manifest.ts';

/** A backup that was read to its end and is whole. */
export interface VerifiedBackup extends BackupContent {
  readonly path: string;
}

interface BackupContent {
  readonly header: BackupHeader;
  readonly manifest: Manifest;
  /** The encrypted config volumes; undefined for a backup without secrets. */
  readonly secrets: Buffer | undefined;
}

/** Reads a backup to its end; throws a StackError for one that is damaged, or of a newer format. */
export async function readBackup(path: string, report: Report): Promise<VerifiedBackup> {
  const [id, what] = ['verify', 'verify the checksum of the backup'];
  const began = Date.now();
  report({ kind: 'started', id, what });
  let shown = 0;
  await verifyArchive(path, (bytes, of) => {
    if (Date.now() - shown < 500) return;
    shown = Date.now();
    report({ kind: 'progress', id, what, detail: `${Math.floor((bytes / of) * 100)} %` });
  }).catch((error: unknown) => {
    report({ kind: 'failed', id, what, why: error instanceof StackError ? error.why : String(error) });
    throw error;
  });
  report({ kind: 'done', id, what, tookMs: Date.now() - began });
  const parts = new Map<string, Buffer>();
  for await (const { header, content } of entriesOf(path)) {
    if (Object.values(entryNames).some((name) => name === header.name)) parts.set(header.name, await buffer(content));
    else content.resume();
  }
  const doing = `reading the backup ${path}`;
  const json = (name: string): unknown => JSON.parse(parts.get(name)?.toString('utf8') ?? 'null');
  const written = json(entryNames.header) as { readonly format?: unknown; readonly promstack?: unknown } | null;
  if (typeof written?.format === 'number' && written.format > format) {
    const why = `its format is ${written.format}, and this promstack reads up to ${format}`;
    throw new StackError({ doing, why, tryThis: `use promstack ${written.promstack}, which wrote it, or a newer one` });
  }
  const [header, manifest] = [headerSchema.safeParse(written), manifestSchema.safeParse(json(entryNames.manifest))];
  if (!header.success || !manifest.success) {
    throw new StackError({
      doing,
      why: 'its lists have an unknown format',
      tryThis: 'use the promstack that wrote it',
    });
  }
  return { path, header: header.data, manifest: manifest.data, secrets: parts.get(entryNames.secrets) };
}
