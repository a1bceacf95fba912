import { parse } from 'yaml';
import type { LoadedStack, LoadedUserFile } from '../../scripts/config/loaded.ts';
import { readYaml } from '../../scripts/config/yaml-source.ts';
import type { TemplateFile, TemplateSet } from '../../scripts/render/templates.ts';
import { type StackConfig, stackSchema } from '../../stack/config.ts';

/** The stack loaded from this stack.yml. */
export function loadedFrom(text: string, userFiles: readonly LoadedUserFile[] = []): LoadedStack {
  return {
    ...loadedAs(stackSchema.parse(parse(text) ?? {}), userFiles),
    locate: readYaml(text, 'stack.yml').locate,
  };
}

/** A stack with this config. */
export function loadedAs(config: StackConfig, userFiles: readonly LoadedUserFile[] = []): LoadedStack {
  return { config, path: '/stack/stack.yml', folder: '/stack', locate: () => undefined, userFiles };
}

/** Templates by their paths below templates/; those that begin with `own:` are the user's. */
export function templatesOf(
  files: Readonly<Record<string, string>>,
  diagnostics: TemplateSet['diagnostics'] = [],
): TemplateSet {
  return {
    diagnostics,
    strays: [],
    files: Object.entries(files).map(([path, text]): TemplateFile => {
      const isShipped = !path.startsWith('own:');
      const [service = '', ...rest] = path.replace('own:', '').split('/');
      const origin = isShipped ? `/promstack/templates/${path}` : `templates/${path.replace('own:', '')}`;
      return { service, path: rest.join('/'), text, isExecutable: path.endsWith('.sh'), isShipped, origin };
    }),
  };
}
