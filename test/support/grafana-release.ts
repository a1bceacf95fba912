import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { loadStack } from '../../scripts/config/load.ts';
import { render } from '../../scripts/render/render.ts';
import { loadTemplates } from '../../scripts/render/templates.ts';
import { md5 } from '../../scripts/util/hash.ts';
import type { Diagnostic } from '../../stack/diagnostic.ts';
import type { ContainerSpec } from '../../stack/model.ts';
import type { Release } from '../../stack/service.ts';

/** A folder's files by path: texts as they are, the rest as JSON. */
export type Folder = Readonly<Record<string, string | object>>;

/** What becomes of Grafana in a stack. */
export interface GrafanaRendering {
  readonly release: Release;
  readonly container: ContainerSpec;
}

/** Renders Grafana's part of a stack made of these files, `stack.yml` among them; throws the diagnostics when it is refused. */
export async function renderGrafana(
  folder: Folder,
  env: Readonly<Record<string, string>> = {},
): Promise<GrafanaRendering> {
  const rendered = await tryGrafana(folder, env);
  if ('diagnostics' in rendered) throw new Error(JSON.stringify(rendered.diagnostics, null, 2));
  return rendered;
}

/** The same, or why it is refused. */
export async function tryGrafana(
  folder: Folder,
  env: Readonly<Record<string, string>> = {},
): Promise<GrafanaRendering | { readonly diagnostics: readonly Diagnostic[] }> {
  const path = await mkdtemp(join(tmpdir(), 'grafana-'));
  try {
    for (const [name, content] of Object.entries({ 'stack.yml': '{}', ...folder })) {
      await mkdir(dirname(join(path, name)), { recursive: true });
      await writeFile(join(path, name), typeof content === 'string' ? content : JSON.stringify(content, null, 2));
    }
    const loaded = await loadStack({ file: join(path, 'stack.yml'), cwd: path, env });
    if (!loaded.ok) return { diagnostics: loaded.error };
    const hasTemplates = Object.keys(folder).some((name) => name.startsWith('templates/'));
    const userTemplates = hasTemplates ? join(path, 'templates') : undefined;
    const rendering = render(loaded.value, await loadTemplates(userTemplates, path));
    if (!rendering.ok) return { diagnostics: rendering.error };
    const { config } = rendering.value;
    const grafana = rendering.value.services.find(({ service }) => service.name === 'grafana');
    if (grafana === undefined) throw new Error('the stack has no Grafana');
    const { files, revision, container } = grafana;
    return { release: { config, files, revision, md5 }, container };
  } finally {
    await rm(path, { recursive: true, force: true });
  }
}
