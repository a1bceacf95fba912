import { resolve } from 'node:path';
import { accessFiles } from '../../stack/access/access.ts';
import { givenExpiryRules } from '../../stack/access/expiry-rules.ts';
import { withNetworks } from '../../stack/compose-networks.ts';
import type { StackConfig } from '../../stack/config.ts';
import type { Diagnostic, KeyPath, SourceRange } from '../../stack/diagnostic.ts';
import { ignoreComments, silenceHint } from '../../stack/lint/ignore-comments.ts';
import { longTermStore, writtenKey } from '../../stack/long-term/store.ts';
import type { RenderedFile } from '../../stack/model.ts';
import { containerOf } from '../../stack/networks.ts';
import { Secret } from '../../stack/secret.ts';
import { namedSecretFiles } from '../../stack/secrets/secret-files.ts';
import { type FileProblem, type Service, sectionPath } from '../../stack/service.ts';
import { enabledServices, servicesOf } from '../../stack/services.ts';
import { closest } from '../../stack/values/closest.ts';
import { inConfig } from '../../stack/values/container.ts';
import { valueAt } from '../../stack/values/mapping.ts';
import { givenCertificateEnds } from '../config/certificates.ts';
import type { ComposeProject, LoadedStack, LoadedUserFile } from '../config/loaded.ts';
import { readYaml } from '../config/yaml-source.ts';
import { shortHash } from '../util/hash.ts';
import { fail, ok, type Result } from '../util/result.ts';
import type { Rendering, ServiceRendering } from './rendering.ts';
import { locateWritten, secretFilesOf } from './secret-places.ts';
import { revealed } from './show.ts';
import { TemplateRenderer } from './template-renderer.ts';
import { type TemplateFile, type TemplateSet, warnOfStrays } from './templates.ts';

/** Options of rendering. */
export interface RenderOptions {
  /** Services to leave out, as if they were disabled. */
  readonly without?: readonly string[];
  readonly compose?: ComposeProject | undefined;
}

/** The desired state of the stack, from its config and the templates alone. */
export function render(loaded: LoadedStack, templates: TemplateSet, options: RenderOptions = {}): Result<Rendering> {
  const without = options.without ?? [];
  const { compose } = options;
  const config = withNetworks(withoutServices(loaded.config, without), compose?.networks ?? []);
  const enabled = enabledServices(config);
  const renderer = new TemplateRenderer(config, enabled, templates);

  const expiryRules = givenExpiryRules(
    config,
    givenCertificateEnds(
      config,
      enabled.map(({ name }) => name),
    ),
  );
  const filesOf = new Map<Service, readonly RenderedFile[]>(
    enabled.map((service) => {
      const own = loaded.userFiles.filter((file) => file.service === service.name);
      return [
        service,
        [
          ...renderer.filesOf(service),
          ...(service.files?.(config) ?? []),
          ...accessFiles(service.name, config),
          ...expiryRules.filter((file) => file.service === service.name),
          ...secretFilesOf(service, config),
          ...withSecretFiles(own, service, config),
        ],
      ];
    }),
  );
  const tests = renderer.tests([...filesOf.values()].flat());

  const diagnostics = [
    ...unknownServices(without, config),
    ...templates.diagnostics,
    ...warnOfStrays(unusedStrays(loaded, templates)),
    ...renderer.diagnostics,
    ...[...filesOf.values(), tests].flatMap((files) => clashes(files, loaded.locate)),
    ...[...filesOf].flatMap(([service, files]) =>
      placeInFiles(service.fileProblems?.(files, config) ?? [], templates, loaded),
    ),
  ];
  if (diagnostics.some(({ severity }) => severity === 'error')) return fail(diagnostics);

  const rendered = enabled.map((service) => toServiceRendering(service, config, filesOf.get(service) ?? []));
  const revision = stackRevision(rendered);
  const { folder, origin, missingSecrets } = loaded;
  const locate = locateStore(locateWritten(loaded.locate, config), config);
  const written = loaded.written && { written: loaded.written };
  const read = { config, folder, origin, locate, missingSecrets, ...written };
  const rendering: Rendering = { ...read, without, compose, revision, services: rendered, tests: sortedByPath(tests) };
  const renderWith = (changed: StackConfig): Rendering => {
    const again = render({ ...loaded, config: changed }, templates, options);
    return again.ok ? again.value : rendering;
  };
  return ok({ ...rendering, renderWith }, diagnostics);
}

/** The place of a rendered key of `remote_write` that comes from `long_term`. */
function locateStore(locate: LoadedStack['locate'], config: StackConfig): LoadedStack['locate'] {
  if (longTermStore(config) === undefined) return locate;
  return (path, atKey) => locate(writtenKey(path, config), atKey);
}

/** The user's files of a service; those with a secret are readable for the server alone, and never shown. */
function withSecretFiles(
  files: readonly LoadedUserFile[],
  service: Service,
  config: StackConfig,
): readonly RenderedFile[] {
  const { secretFiles } = service;
  const path = sectionPath(service);
  const named =
    secretFiles === undefined ? [] : namedSecretFiles(valueAt(config, path), path, secretFiles).map(inConfig);
  return files.map((file): RenderedFile => {
    const { content, origin } = file;
    const isSecret =
      file.isSecret === true || named.includes(file.path) || /-----BEGIN [A-Z ]*PRIVATE KEY/.test(content);
    if (file.namedAt === undefined || !isSecret) return { ...file, mode: 0o444, isVerbatim: true };
    const secret = new Secret(content, origin);
    return { ...file, content: secret, masked: '[secret]\n', secrets: [secret], mode: 0o400, isVerbatim: true };
  });
}

/** Those that stack.yml does not name either: users keep notification templates in `templates/` too. */
function unusedStrays({ userFiles, written }: LoadedStack, { strays }: TemplateSet): readonly TemplateFile[] {
  const pathOf = ({ origin }: { readonly origin: string }): string => resolve(written?.cwd ?? '', origin);
  const used = new Set(userFiles.map(pathOf));
  return strays.filter((file) => !used.has(pathOf(file)));
}

/** The hash of all services' revisions. */
export function stackRevision(services: readonly Pick<ServiceRendering, 'service' | 'revision'>[]): string {
  return shortHash(services.map(({ service, revision }) => `${service.name}=${revision}\n`).join(''));
}

function toServiceRendering(service: Service, config: StackConfig, files: readonly RenderedFile[]): ServiceRendering {
  const sorted = sortedByPath(files);
  const revision = shortHash(
    sorted.map((file) => `${file.path}\0${file.mode.toString(8)}\0${revealed(file)}\0`).join(''),
  );
  const stamped =
    files.length === 0 ? [] : sortedByPath(service.stamp?.(sorted, revision, config, shortHash) ?? sorted);
  return { service, container: containerOf(service, config), files: stamped, revision };
}

/** By code unit, so that the order does not depend on the locale. */
function sortedByPath(files: readonly RenderedFile[]): readonly RenderedFile[] {
  return files.toSorted((a, b) => (a.path < b.path ? -1 : 1));
}

/** The config with these services disabled. */
export function withoutServices(config: StackConfig, without: readonly string[]): StackConfig {
  return servicesOf(config)
    .filter(({ name }) => without.includes(name))
    .reduce((changed, service) => withValue(changed, [...sectionPath(service), 'enabled'], false), config);
}

/** A copy of a mapping with a value at a path. */
export function withValue<T>(parent: T, [step, ...rest]: KeyPath, value: unknown): T {
  if (step === undefined) return value as T;
  const inner = (parent as Readonly<Record<string, unknown>> | undefined)?.[step];
  return { ...parent, [step]: withValue(inner, rest, value) };
}

function unknownServices(without: readonly string[], config: StackConfig): readonly Diagnostic[] {
  const names = servicesOf(config).map((service) => service.name);
  return without
    .filter((name) => !names.includes(name))
    .map((name): Diagnostic => {
      const near = closest(name, names);
      return {
        severity: 'error',
        code: 'unknown-service',
        message: `unknown service ${name}`,
        hint: near === undefined ? `the services are ${names.join(', ')}` : `did you mean ${near}?`,
      };
    });
}

/** Problems of rendered files, at their places in the source files; without those that comments there silence. */
function placeInFiles(
  problems: readonly FileProblem[],
  { files }: TemplateSet,
  { locate }: LoadedStack,
): readonly Diagnostic[] {
  return problems.flatMap(({ file, key, canBeIgnored = false, ...problem }): readonly Diagnostic[] => {
    if (key !== undefined) {
      const { code, message, hint, severity = 'error', atKey } = problem;
      return [{ code, message, hint, severity, where: locate(key, atKey) }];
    }
    // A value that was filled in may take other lines than its tag in the template.
    const text = files.find(({ origin }) => origin === file.origin)?.text ?? revealed(file);
    const source = readYaml(text, file.origin);
    const { offset } = problem;
    if (offset !== undefined) return [{ ...source.toDiagnostic(problem), where: rangeAt(file.origin, text, offset) }];
    if (!source.isWhole) return source.diagnostics;
    if (!canBeIgnored) return [source.toDiagnostic(problem)];
    const { path, code, hint } = problem;
    if (ignoreComments(() => text).silences(path, code, source.locate)) return [];
    return [source.toDiagnostic({ ...problem, hint: silenceHint(code, hint) })];
  });
}

/** A single character of a file, or the end of its last line. */
function rangeAt(file: string, text: string, at: number): SourceRange {
  const offset = Math.min(at, Math.max(0, text.trimEnd().length - 1));
  const lines = text.slice(0, offset).split('\n');
  return { file, line: lines.length, column: (lines.at(-1) ?? '').length + 1, offset, length: 1 };
}

/** Errors for files that have the same path. */
function clashes(files: readonly RenderedFile[], locate: LoadedStack['locate']): readonly Diagnostic[] {
  const first = new Map<string, RenderedFile>();
  const inFolder = new Map(files.map((file) => [file.path.split('/')[0] ?? '', file]));
  return files.flatMap((file): Diagnostic[] => {
    const below = inFolder.get(file.path);
    const earlier = first.get(file.path) ?? (below === file ? undefined : below);
    first.set(file.path, file);
    if (earlier === undefined) return [];
    const where = file.namedAt === undefined ? undefined : locate(file.namedAt);
    const place = `${file.service}/${file.path}`;
    const isSame = earlier.path === file.path;
    return [
      {
        severity: 'error',
        code: 'same-place',
        message: isSame
          ? `${earlier.origin} and ${file.origin} would both become ${place}`
          : `${file.origin} would become ${place}, which is the folder of ${earlier.origin}`,
        hint: 'rename one of them',
        ...(where === undefined ? {} : { where }),
      },
    ];
  });
}
