import { Document, type Node, parse, YAMLMap } from 'yaml';
import type { StackConfig } from '../../stack/config.ts';
import type { Diagnostic, KeyPath } from '../../stack/diagnostic.ts';
import { pagesIn } from '../../stack/exporters/services.ts';
import type { RenderedFile } from '../../stack/model.ts';
import type { OwnItem } from '../../stack/own-items.ts';
import type { Contributor, Service } from '../../stack/service.ts';
import { services, servicesOf } from '../../stack/services.ts';
import { discoveredAddresses } from '../../stack/swarm/swarm.ts';
import { closest } from '../../stack/values/closest.ts';
import { isMapping, type Mapping, valueAt } from '../../stack/values/mapping.ts';
import { discoverReplicas } from './discover-replicas.ts';
import { FilledNode } from './filled-node.ts';
import { applyOwnItems } from './own-items.ts';
import { fillPlaceholders, itemsOf } from './placeholders.ts';
import { configScope, type Scope, withContributions } from './scope.ts';
import { placedSecrets, withPlacedSecrets } from './secret-places.ts';
import { SourceMarkers } from './source-markers.ts';
import { type TemplateKind, templateKindOf } from './template-kind.ts';
import type { TemplateFile, TemplateSet } from './templates.ts';
import { mayHavePlaceholders, parseTemplate } from './yaml-template.ts';

interface PlacedTemplate extends TemplateFile {
  readonly use: TemplateKind;
}

/** Renders the templates of one stack and collects their problems in `diagnostics`. */
export class TemplateRenderer {
  readonly diagnostics: Diagnostic[] = [];
  readonly #enabled: readonly Contributor[];
  /** The first service of each folder of templates: what it contributes is there once for all of its kind. */
  readonly #contributors: readonly Contributor[];
  readonly #templates: readonly PlacedTemplate[];
  readonly #marks = new SourceMarkers();
  /** The scope of contributions, which cannot use each other. */
  readonly #plain: Scope;
  /** The scope of all other templates. */
  readonly #full: Scope;
  readonly #ownItems: readonly OwnItem[];
  /** How promstack's own contributions are changed for this stack, by kind. */
  readonly #amends: ReadonlyMap<string, (text: string) => string>;
  readonly #isIncluded: (template: TemplateFile, kind: string) => boolean;

  constructor(config: StackConfig, enabled: readonly Service[], templates: TemplateSet) {
    this.#enabled = [...enabled, ...pagesIn(config)];
    const folders = this.#enabled.map(templatesFolder);
    this.#contributors = this.#enabled.filter((_, at) => folders.indexOf(folders[at] ?? '') === at);
    this.#templates = templates.files.map((file) => ({ ...file, use: templateKindOf(file.path) }));
    this.#isIncluded = ({ isShipped, path }, kind) =>
      !isShipped ||
      !services.some((service) =>
        service.collects?.some((collected) => collected.kind === kind && collected.shipped?.(config, path) === false),
      );
    this.#amends = new Map(
      enabled.flatMap((service) =>
        (service.collects ?? []).flatMap(({ kind, amend }) =>
          amend === undefined ? [] : [[kind, (text: string) => amend(text, config)]],
        ),
      ),
    );
    this.#ownItems = enabled.flatMap((service) => service.ownItems?.(config) ?? []);
    this.diagnostics.push(...unusedContributions(templates.files));
    this.#plain = withPlacedSecrets(configScope(config, servicesOf(config)));
    this.#full = withContributions(this.#plain, this.#contributedItems(config));
  }

  /** The files of a service's config directory: its own templates and the contributions it collects. */
  filesOf(service: Service): readonly RenderedFile[] {
    const own = this.#templatesOf(service).filter(({ use }) => use.kind === 'file');
    const contributed = (service.collects ?? []).flatMap(({ kind, into }) =>
      this.#contributors.flatMap((contributor) =>
        this.#templatesOf(contributor).flatMap((template) => {
          const { use } = template;
          if (use.kind !== 'contribution' || use.of !== kind || !this.#isIncluded(template, kind)) return [];
          return [this.#file(template, service.name, `${into}/${use.name}`, this.#plain)];
        }),
      ),
    );
    return [...own.map((template) => this.#file(template, service.name, template.path, this.#full)), ...contributed];
  }

  /** Tests of the rendered files. A shipped test is left out when a shipped rule file that it tests is left out or replaced. */
  tests(files: readonly RenderedFile[]): readonly RenderedFile[] {
    const shippedPaths = new Set(files.filter((file) => file.isShipped).map((file) => file.path));
    return this.#contributors.flatMap((service) =>
      this.#templatesOf(service)
        .filter(
          ({ use, isShipped, text }) =>
            use.kind === 'test' && (!isShipped || ruleFilesOf(text).every((path) => shippedPaths.has(path))),
        )
        .map((template) => this.#file(template, service.name, template.path, this.#plain)),
    );
  }

  /** The text of a template as it is for this stack. */
  #textOf({ isShipped, use, text }: PlacedTemplate): string {
    const kind = use.kind === 'contribution' ? use.of : use.kind === 'test' ? 'rules' : undefined;
    const amend = isShipped && kind !== undefined ? this.#amends.get(kind) : undefined;
    return amend?.(text) ?? text;
  }

  #templatesOf(service: Contributor): readonly PlacedTemplate[] {
    return this.#templates.filter((template) => template.service === templatesFolder(service));
  }

  /** The items contributed to each kind, in the order of the services; a kind without contributions in this stack is empty. */
  #contributedItems(config: StackConfig): ReadonlyMap<string, readonly Node[]> {
    const lists = this.#templates.flatMap((template) =>
      template.use.kind === 'list' ? [{ template, kind: template.use.of }] : [],
    );
    const items = new Map<string, Node[]>(lists.map(({ kind }) => [kind, []]));
    for (const service of this.#contributors) {
      for (const { template, kind } of lists) {
        if (template.service !== templatesFolder(service) || !this.#isIncluded(template, kind)) continue;
        items.get(kind)?.push(...this.#items(template));
      }
    }
    const jobs = this.#enabled.flatMap(({ scrapes, jobSettings }) =>
      (scrapes?.(config) ?? []).map((job) => jobNode(job, jobSettings, config, this.#marks)),
    );
    items.get('scrapes')?.push(...jobs);
    discoverReplicas([...items.values()].flat(), discoveredAddresses(config), this.#marks);
    return items;
  }

  #items(template: TemplateFile): readonly Node[] {
    const parsed = parseTemplate(template.text, template.origin);
    this.diagnostics.push(...parsed.diagnostics);
    if (parsed.diagnostics.length > 0) return [];
    this.diagnostics.push(...fillPlaceholders(parsed, this.#plain, this.#marks));
    applyOwnItems(parsed.document, this.#ownItemsOf(template), this.#marks);
    const items = itemsOf(parsed.document);
    if (items === undefined) {
      this.diagnostics.push({
        severity: 'error',
        code: 'contribution-no-list',
        message: `${template.path} is not a list`,
        hint: 'a contribution is a list: begin each item with "- "',
        where: parsed.rangeOf(parsed.document.contents ?? {}),
      });
    }
    return items ?? [];
  }

  /** What stack.yml sets for the items of a contribution. */
  #ownItemsOf({ path }: TemplateFile): readonly OwnItem[] {
    const use = templateKindOf(path);
    return this.#ownItems.filter(({ kind }) => (use.kind === 'list' || use.kind === 'contribution') && use.of === kind);
  }

  #file(template: PlacedTemplate, service: string, path: string, scope: Scope): RenderedFile {
    const mode = template.isExecutable ? 0o555 : 0o444;
    const file = { service, path, mode, origin: template.origin, isShipped: template.isShipped };
    const filled = isYaml(path) ? this.#fill(template, scope) : undefined;
    if (filled === undefined) {
      const text = this.#textOf(template);
      return { ...file, content: text, isVerbatim: text === template.text };
    }
    const finished = this.#marks.finish(filled);
    return { ...file, ...finished, mode: typeof finished.content === 'string' ? mode : 0o400 };
  }

  /**
   * A YAML template with its placeholders replaced, still with marks; undefined when it has none and its bytes are kept.
   * Shipped templates without placeholders are not parsed: their syntax is known to be valid.
   */
  #fill(template: TemplateFile, scope: Scope): string | undefined {
    const ownItems = this.#ownItemsOf(template);
    if (template.isShipped && ownItems.length === 0 && !mayHavePlaceholders(template.text)) return undefined;
    const parsed = parseTemplate(template.text, template.origin);
    this.diagnostics.push(...parsed.diagnostics);
    if (parsed.diagnostics.length > 0 || (ownItems.length === 0 && !parsed.hasPlaceholders)) return undefined;
    this.diagnostics.push(...fillPlaceholders(parsed, scope, this.#marks));
    applyOwnItems(parsed.document, ownItems, this.#marks);
    // The yaml package would write an empty document as `null`.
    return parsed.document.contents === null ? '' : parsed.document.toString(asWritten);
  }
}

/** A job; what stack.yml sets of it below `section` is marked as that. */
function jobNode(job: Mapping, section: KeyPath | undefined, config: StackConfig, marks: SourceMarkers): Node {
  const document = new Document();
  const map = new YAMLMap();
  const settings = section === undefined ? undefined : valueAt(config, [...section, 'scrape']);
  const [placed] = placedSecrets([job], ['prometheus', 'scrape_configs']) as readonly [Mapping];
  const pathOf = (key: string): KeyPath | undefined => {
    if (section === undefined) return undefined;
    if (isMapping(settings) && key in settings) return [...section, 'scrape', key];
    if (key === 'scrape_interval') return [...section, key];
    // What is wrong with the whole job is shown at its section.
    return key === 'job_name' ? section : undefined;
  };
  for (const [key, value] of Object.entries(placed)) {
    const path = pathOf(key);
    map.set(key, path === undefined ? document.createNode(value) : new FilledNode(value, path, marks));
  }
  return map;
}

const templatesFolder = ({ name, templates }: Contributor): string => templates ?? name;

/** Keeps line breaks, quotes and brackets of the template. */
const asWritten = {
  lineWidth: 0,
  flowCollectionPadding: false,
  doubleQuotedMinMultiLineLength: Number.MAX_SAFE_INTEGER,
} as const;

function isYaml(path: string): boolean {
  return /\.ya?ml$/.test(path);
}

/** The rule files of a promtool test, as paths in the config directory. Only that part is parsed, since tests are long. */
function ruleFilesOf(test: string): readonly string[] {
  const [part = ''] = /^rule_files:.*\n(?:[ \t-].*\n|\s*#.*\n|\s*\n)*/m.exec(test) ?? [];
  const paths = (parse(part) as { rule_files?: unknown } | null)?.rule_files;
  return Array.isArray(paths) ? paths.map((path) => String(path).replace(/^\.\.\//, '')) : [];
}

/** Warns about the user's contributions that nothing collects, usually because their kind is misspelt. */
function unusedContributions(files: readonly TemplateFile[]): readonly Diagnostic[] {
  const collected = new Set(services.flatMap((service) => (service.collects ?? []).map(({ kind }) => kind)));
  const named = new Set(
    files.flatMap(({ text }) => [...text.matchAll(/\bcontributed\.([\w-]+)/g)].map(([, kind]) => kind ?? '')),
  );
  return files
    .filter(({ isShipped }) => !isShipped)
    .flatMap((file) => {
      const use = templateKindOf(file.path);
      if (use.kind === 'contribution' && !collected.has(use.of)) return [unused(file, use.of, 'collects', collected)];
      if (use.kind === 'list' && !named.has(use.of)) return [unused(file, use.of, 'uses', named)];
      return [];
    });
}

function unused(file: TemplateFile, kind: string, verb: string, kinds: ReadonlySet<string>): Diagnostic {
  const near = closest(kind, kinds);
  return {
    severity: 'warning',
    code: 'contribution-unused',
    message: `${file.origin} is not used: nothing ${verb} contributions of kind ${kind}`,
    hint: near === undefined ? `the kinds are ${[...kinds].sort().join(', ')}` : `did you mean ${near}?`,
  };
}
