import type { StackConfig } from '../../stack/config.ts';
import type { KeyPath, SourceRange } from '../../stack/diagnostic.ts';
import type { RenderedFile } from '../../stack/model.ts';
import { placeSecrets, secretFilesIn, secretKeyOf } from '../../stack/secrets/secret-files.ts';
import { type Service, sectionPath } from '../../stack/service.ts';
import { enabledServices, findService, servicesOf } from '../../stack/services.ts';
import { valueAt } from '../../stack/values/mapping.ts';
import type { LoadedStack } from '../config/loaded.ts';
import type { Scope } from './scope.ts';

/** A scope whose values name a file in place of each secret that the program can read from a file. */
export function withPlacedSecrets(scope: Scope): Scope {
  return {
    ...scope,
    resolve: (name) => {
      const resolved = scope.resolve(name);
      if (resolved.kind !== 'value') return resolved;
      return { ...resolved, value: placedSecrets(resolved.value, resolved.path) };
    },
  };
}

/** The value of a key that names a file in place of each secret that the program can read from a file. */
export function placedSecrets(value: unknown, path: KeyPath): unknown {
  const files = filesOf(path);
  return files === undefined ? value : placeSecrets(value, path, files);
}

/** The secret files of one service, one secret each. */
export function secretFilesOf(service: Service, config: StackConfig): readonly RenderedFile[] {
  if (service.secretFiles === undefined) return [];
  return secretFilesIn(valueAt(config, sectionPath(service)), service, service.secretFiles);
}

/** The place of a rendered key in stack.yml, where a key that names a secret's file has the name of the secret itself. */
export function locateWritten(locate: LoadedStack['locate'], config: StackConfig): LoadedStack['locate'] {
  if (!enabledServices(config).some((service) => secretFilesOf(service, config).length > 0)) return locate;
  const all = servicesOf(config);
  return (path, atKey): SourceRange | undefined => {
    const files = all.find((service) => sectionPath(service).every((step, at) => path[at] === step))?.secretFiles;
    const keys = path.filter((step) => typeof step === 'string');
    const secretKey = files === undefined ? undefined : secretKeyOf(keys, files);
    const written = [...path.slice(0, -1), ...(secretKey === undefined ? [] : [secretKey])];
    const isMoved = secretKey !== undefined && valueAt(config, path) === undefined && isSet(config, written);
    return locate(isMoved ? written : path, atKey);
  };
}

function filesOf(path: KeyPath): Service['secretFiles'] {
  return findService(String(path[0]))?.secretFiles;
}

function isSet(config: StackConfig, path: KeyPath): boolean {
  return valueAt(config, path) !== undefined;
}
