import type { Diagnostic } from '../../../stack/diagnostic.ts';
import { secretsVariable } from '../../../stack/grafana/settings.ts';
import type { RenderedFile } from '../../../stack/model.ts';
import { Secret } from '../../../stack/secret.ts';
import { andList } from '../../../stack/values/words.ts';
import { stackRevision } from '../../render/render.ts';
import type { Rendering, ServiceRendering } from '../../render/rendering.ts';
import { holds, notCompared, unknownOrigins, withoutHash } from '../missing-secrets.ts';
import type { SwarmObserved } from './observe.ts';
import { pathOf } from './release.ts';
import type { SwarmServiceTarget, SwarmTarget } from './target.ts';

/** A service rendered as if it were the running one, and which of its files depend on secrets that are missing. */
interface Assumed {
  readonly rendered: ServiceRendering;
  readonly running: SwarmServiceTarget;
  readonly unknown: ReadonlySet<string>;
}

/**
 * A rendering and its target, with the files in use where they differ by missing secrets alone. A swarm shows no secret, but a file of
 * another content would have another name: so all other files are rendered with the revision in use, and must have the names in use.
 */
export function withRunningSecrets(
  rendering: Rendering,
  { services: observed }: Pick<SwarmObserved, 'services'>,
  toTarget: (rendering: Rendering) => SwarmTarget,
): { readonly rendering: Rendering; readonly target: SwarmTarget } {
  const origins = unknownOrigins(rendering);
  const assumed = rendering.services.flatMap((service) => {
    return assume(service, observed.get(service.service.name)?.target, rendering, origins) ?? [];
  });
  if (assumed.length === 0) return { rendering, target: toTarget(rendering) };
  const tried = toTarget(replaced(rendering, assumed));
  const kept = assumed.filter(({ running, unknown }) => {
    const target = tried.services.find(({ service }) => service === running.service);
    return target !== undefined && setOf(named(target, running, unknown)) === setOf(running.files);
  });
  const result = replaced(rendering, kept);
  const { services, stored, ...others } = toTarget(result);
  const keptAs = (name: string) => kept.find(({ running }) => running.service === name)?.running;
  return {
    rendering: result,
    target: {
      ...others,
      services: services.map((target) => {
        const running = keptAs(target.service);
        return running === undefined ? target : { ...target, files: running.files, digests: running.digests };
      }),
      stored: stored.filter(({ service, name }) => keptAs(service)?.files.some((file) => file.name === name) ?? true),
    },
  };
}

/** A warning for each missing secret, with the files that could not be compared for it: of a secret file only its name is known. */
export function notComparedOnSwarm(rendering: Rendering): readonly Diagnostic[] {
  return notCompared(rendering.missingSecrets ?? [], (origin) => {
    const one = new Set([origin]);
    // The content of a file with inline secrets is another secret than these.
    const isOnlyIt = ({ content, secrets = [] }: RenderedFile): boolean => secrets[0] === content;
    const within = rendering.services.flatMap(({ service, files }) =>
      files.filter((file) => holds(file, one) && !isOnlyIt(file)).map(({ path }) => `${service.name}/${path}`),
    );
    const rest = within.length === 0 ? '' : `, nor anything else in ${andList(within, '')}: a swarm shows no secret`;
    return `whether ${origin} has changed since it was applied was not compared${rest}`;
  });
}

function assume(
  rendered: ServiceRendering,
  running: SwarmServiceTarget | undefined,
  { config }: Rendering,
  origins: ReadonlySet<string>,
): Assumed | undefined {
  const files = rendered.files.filter((file) => holds(file, origins));
  const given = (rendered.service.generatedSecrets ?? []).filter((secret) => {
    const value = secret.given?.(config);
    return value !== undefined && origins.has(value.origin);
  });
  if (running === undefined || files.length + given.length === 0) return undefined;
  const inUse = running.files.filter(({ kind }) => kind === 'secret').map(pathOf);
  const moves = files.map(({ path }): readonly [string, string] => {
    return [path, inUse.find((old) => withoutHash(old) === withoutHash(path)) ?? path];
  });
  const paths = new Map(moves);
  const revision = running.revision ?? rendered.revision;
  const inText = (text: string): string =>
    [...moves, [rendered.revision, revision] as const].reduce((all, [now, old]) => all.replaceAll(now, old), text);
  const { container } = rendered;
  // A hash of all secrets: those that are known have files of their own, which are compared.
  const hash = running.container.env[secretsVariable];
  const env = hash === undefined || !(secretsVariable in container.env) ? {} : { [secretsVariable]: hash };
  return {
    running,
    unknown: new Set([...paths.values(), ...given.map(({ name }) => `secrets/${name}`)]),
    rendered: {
      ...rendered,
      revision,
      container: { ...container, args: container.args.map(inText), env: { ...container.env, ...env } },
      files: rendered.files.map((file) => assumeFile(file, paths.get(file.path) ?? file.path, inText)),
    },
  };
}

function assumeFile(file: RenderedFile, path: string, inText: (text: string) => string): RenderedFile {
  const { content, masked } = file;
  return {
    ...file,
    path,
    ...(masked === undefined ? {} : { masked: inText(masked) }),
    content: content instanceof Secret ? new Secret(inText(content.reveal()), content.origin) : inText(content),
  };
}

const replaced = (rendering: Rendering, assumed: readonly Assumed[]): Rendering => {
  const services = rendering.services.map(
    (service) => assumed.find(({ rendered }) => rendered.service.name === service.service.name)?.rendered ?? service,
  );
  return { ...rendering, services, revision: stackRevision(services) };
};

/** The files of a target, those of unknown content with the names in use. */
function named(
  { files }: SwarmServiceTarget,
  running: SwarmServiceTarget,
  unknown: ReadonlySet<string>,
): SwarmServiceTarget['files'] {
  return files.map((file) => {
    const old = running.files.find(({ kind, target }) => kind === file.kind && target === file.target);
    return old === undefined || !unknown.has(pathOf(file)) ? file : { ...file, name: old.name };
  });
}

const setOf = (files: SwarmServiceTarget['files']): string =>
  files
    .map((file) => JSON.stringify(file))
    .toSorted()
    .join();
