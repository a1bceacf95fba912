import type { Engine } from '../engine/engine.ts';
import type { Rendering, ServiceRendering } from '../render/rendering.ts';
import { shown } from '../render/show.ts';
import { toBytes } from '../util/file-bytes.ts';
import { composeFile, configFolder, type ExportedService } from './compose-file.ts';
import { exportedServices, foldersToKeep, isSecret, refuseInternalCa } from './exported-services.ts';
import { readme } from './readme.ts';
import type { OwnFile } from './write-folder.ts';

/** A stack as a folder for docker compose. */
export interface ComposeExport {
  readonly files: readonly OwnFile[];
  readonly services: readonly ExportedService[];
}

/**
 * The files that start the containers of a stack with docker compose. Files with secrets are mounted over ones in which they
 * are masked; `withSecrets` reads the secrets that were generated for the stack, which are on its engine.
 */
export async function exportCompose(
  rendering: Rendering,
  engine: Engine | undefined,
  { withSecrets }: { readonly withSecrets: boolean },
): Promise<ComposeExport> {
  refuseInternalCa(rendering, 'exporting the stack for docker compose');
  const stack = rendering.config.name;
  const services = await exportedServices(rendering, engine, { withSecrets });
  const version = Number.parseInt((await engine?.info())?.version ?? '0', 10);
  const hasStartInterval = engine?.kind === 'docker' && version >= 25;
  const files: readonly OwnFile[] = [
    textFile('compose.yaml', composeFile({ stack, services, hasStartInterval })),
    textFile('README.md', readme(stack, rendering.revision, services)),
    textFile('.gitignore', '/secrets/\n'),
    ...rendering.services.flatMap(configFiles),
    ...services.flatMap(({ secrets }) =>
      withSecrets ? secrets.map(({ path, content, isNew }) => ({ path, content, isSecret: true, isKept: isNew })) : [],
    ),
  ];
  return { files, services };
}

const textFile = (path: string, text: string): OwnFile => ({ path, content: Buffer.from(text) });

function configFiles(rendered: ServiceRendering): readonly OwnFile[] {
  const folder = configFolder(rendered.service.name);
  return [
    ...rendered.files.map((file): OwnFile => {
      const content = isSecret(file) ? Buffer.from(shown(file)) : toBytes(file);
      return { path: `${folder}/${file.path}`, content, isExecutable: (file.mode & 0o111) !== 0 };
    }),
    ...foldersToKeep(rendered).map((path) => textFile(`${folder}/${path}/.gitkeep`, '')),
  ];
}
