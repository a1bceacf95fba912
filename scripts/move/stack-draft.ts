import { extname } from 'node:path';
import { Document, isMap, isScalar, isSeq, type Node, Pair, parseDocument, type YAMLMap, YAMLSeq } from 'yaml';
import type { Diagnostic, SourceRange } from '../../stack/diagnostic.ts';
import { toUid } from '../../stack/grafana/config.ts';
import { addSecret } from '../util/redaction.ts';
import { liftComments } from './comment-places.ts';
import { Findings, type ImportedSecret } from './findings.ts';
import { fileStart, type InputFile } from './input-files.ts';
import { secretLine } from './secret-texts.ts';
import {
  childOf,
  keyOf,
  mapOf,
  pairOf,
  placedAs,
  placedAt,
  placeOf,
  secretTag,
  stringNode,
  textOf,
  verbatim,
  withoutLeadingBlanks,
} from './yaml-tree.ts';

/** A file of the new stack. */
export interface DraftFile {
  readonly content: Buffer;
  readonly mode: number;
  /** The file that it is a copy of, as the user would type its path. */
  readonly copyOf?: string | undefined;
  /** How many lines that file has before the copied ones. */
  readonly linesBefore?: number | undefined;
}

/** The sections of stack.yml, in their usual order. */
const order = [
  'name',
  'timezone',
  'bind',
  'labels',
  'networks',
  'prometheus',
  'alertmanager',
  'pushgateway',
  'grafana',
  'exporters',
];

/** The stack that an import builds: stack.yml and the files beside it. */
export class StackDraft {
  readonly findings = new Findings();
  readonly root: YAMLMap = mapOf();
  readonly files = new Map<string, DraftFile>();
  readonly secrets: ImportedSecret[] = [];
  /** The services that reach a container of a network, by the network's name. */
  readonly networks = new Map<string, Set<string>>();
  readonly nextSteps: string[] = [];
  /** What promstack ships itself and an export has: the stack keeps it on. */
  readonly shipped = new Set<'rules' | 'dashboards'>();

  get name(): string {
    return textOf(childOf(this.root, 'name')) ?? '';
  }

  /** The section of a service, which is added if stack.yml does not have it yet. */
  section(...path: readonly string[]): YAMLMap {
    return path.reduce<YAMLMap>((map, key) => {
      const existing = childOf(map, key);
      if (isMap(existing)) return existing;
      const section = mapOf();
      map.items.push(new Pair(stringNode(key), section));
      return section;
    }, this.root);
  }

  /** Sets a key; a node that is already there is replaced. */
  set(path: readonly string[], value: Node, comment?: string): void {
    const section = this.section(...path.slice(0, -1));
    const key = path.at(-1) ?? '';
    const existing = pairOf(section, key);
    if (existing !== undefined) existing.value = value;
    else {
      const name = stringNode(key);
      // What the user wrote at the end of a section is about what is above it.
      name.commentBefore = [section.comment, comment && ` ${comment}`].filter(Boolean).join('\n\n') || null;
      section.comment = null;
      section.items.push(new Pair(name, value));
    }
  }

  /** Removes a section, and those above it that are empty without it. */
  remove(path: readonly string[]): void {
    const [above, key] = [this.section(...path.slice(0, -1)), path.at(-1)];
    above.items = above.items.filter((pair) => keyOf(pair) !== key);
    if (above.items.length === 0 && path.length > 1) this.remove(path.slice(0, -1));
  }

  /** Adds an item to a list of strings, once. */
  addTo(path: readonly string[], text: string, original?: unknown): void {
    const list = childOf(this.root, ...path);
    const seq = isSeq(list) ? list : new YAMLSeq();
    if (!isSeq(list)) this.set(path, seq);
    if (seq.items.some((item) => isScalar(item) && item.value === text)) return;
    seq.items.push(placedAs(stringNode(text), original));
  }

  /** Adds a copy of a file, and returns its path: that of an equal file, or one that no file has. */
  copy(
    wanted: string,
    file: Pick<InputFile, 'bytes' | 'shown'> & Pick<DraftFile, 'linesBefore'>,
    mode = 0o644,
  ): string {
    const extension = extname(wanted);
    const stem = wanted.slice(0, wanted.length - extension.length);
    for (let count = 1; ; count++) {
      const path = count === 1 ? wanted : `${stem}-${count}${extension}`;
      const existing = this.files.get(path);
      const { bytes: content, shown: copyOf, linesBefore } = file;
      if (existing === undefined) {
        const line = mode === 0o600 ? undefined : secretLine(content.toString('utf8'), /\.ya?ml$/.test(path));
        this.files.set(path, { content, mode: line === undefined ? mode : 0o600, copyOf, linesBefore });
        if (line !== undefined) this.#nameSecret(path, { ...fileStart(copyOf), line: line + (linesBefore ?? 0) });
      }
      if (existing === undefined || existing.copyOf === file.shown || existing.content.equals(content)) return path;
    }
  }

  /** A copied file with a plain secret. */
  #nameSecret(file: string, where: SourceRange): void {
    this.secrets.push({ file, what: `a password or a token in line ${where.line}`, where });
    this.findings.changed(
      where.file,
      where,
      file,
      'it has a secret: only you can read it; keep it out of repositories',
    );
  }

  /** Writes a secret to a file of its own, and returns the tag that reads it; `name` says what it is, such as the receiver. */
  secret(
    text: string,
    {
      name,
      what,
      where,
      isInline = false,
    }: {
      readonly name: string;
      readonly what: string;
      readonly where: SourceRange | undefined;
      readonly isInline?: boolean;
    },
  ): Node {
    addSecret(text);
    const content = Buffer.from(`${text}\n`);
    const stem = `secrets/${toUid(name) || 'secret'}`;
    let path = stem;
    for (let count = 2; this.files.get(path)?.content.equals(content) === false; count++) path = `${stem}-${count}`;
    this.files.set(path, { content, mode: 0o600 });
    this.secrets.push({ file: path, what, where });
    this.findings.changed(what, where, path, 'secrets are in files of their own');
    return placedAt(secretTag(path, isInline), where);
  }

  /** The text of stack.yml. */
  text(header: readonly string[]): string {
    const networks = [...this.networks].toSorted(([a], [b]) => (a < b ? -1 : 1));
    if (networks.length > 0) {
      const list = new YAMLSeq();
      for (const [name, services] of networks) {
        const own = [...services].sort();
        const map = mapOf();
        map.flow = true;
        const names = new YAMLSeq();
        names.flow = true;
        names.items.push(...own.map(stringNode));
        map.items.push(new Pair(stringNode('name'), stringNode(name)), new Pair(stringNode('services'), names));
        list.items.push(own.join() === 'prometheus' ? stringNode(name) : map);
      }
      this.set(['networks'], list);
    }
    this.root.items.sort((a, b) => order.indexOf(keyOf(a)) - order.indexOf(keyOf(b)));
    withoutLeadingBlanks(this.root);
    liftComments(this.root);
    const document = new Document(this.root, verbatim);
    document.commentBefore = header.map((line) => ` ${line}`).join('\n');
    return document.toString({ lineWidth: 0, flowCollectionPadding: false });
  }

  /** Where a place in the text of stack.yml, or in a copied file, is from. */
  originOf(where: SourceRange | undefined, text: string): SourceRange | undefined {
    if (where === undefined) return undefined;
    const { copyOf, linesBefore = 0 } = this.files.get(where.file) ?? {};
    if (copyOf !== undefined) return { ...where, file: copyOf, line: where.line + linesBefore };
    if (where.file !== 'stack.yml') return undefined;
    return this.#pathTo(where.offset, text)
      .map(({ node }) => placeOf(node))
      .findLast((place) => place !== undefined);
  }

  /** Removes the part of the stack that an error is about, and reports it; false when there is none. */
  drop({ where, message }: Diagnostic, text: string): boolean {
    if (where === undefined) return false;
    const copied = this.files.get(where.file);
    const origin = this.originOf(where, text);
    if (copied !== undefined) {
      this.files.delete(where.file);
      this.#dropFrom(this.root, where.file);
      this.findings.left(copied.copyOf ?? where.file, origin, message);
      return true;
    }
    const path = this.#pathTo(where.offset, text);
    // An item of a list of the section, such as a job; else the key of the section.
    const item = path.findIndex(({ holder }, depth) => isSeq(holder) && depth <= 8);
    const at = item === -1 ? path.findLastIndex(({ holder }, depth) => isMap(holder) && depth <= 3) : item;
    const { holder, node } = path[at] ?? {};
    if (holder === undefined) return false;
    holder.items = (holder.items as unknown[]).filter(
      (own) => own !== node && (own as Pair | null)?.value !== node,
    ) as never[];
    // An empty list says nothing.
    const above = path[at - 1]?.holder;
    if (holder.items.length === 0 && isMap(above)) above.items = above.items.filter(({ value }) => value !== holder);
    this.findings.left(
      path
        .flatMap(({ key }) => key ?? [])
        .slice(0, 3)
        .join('.'),
      origin,
      message,
    );
    return true;
  }

  /** Removes a path from the lists that name it. */
  #dropFrom(node: unknown, path: string): void {
    if (isMap(node)) for (const { value } of node.items) this.#dropFrom(value, path);
    if (isSeq(node)) node.items = node.items.filter((item) => !(isScalar(item) && item.value === path));
  }

  /** The nodes of the draft that lead to a place in its text, with what holds each. */
  #pathTo(offset: number, text: string): readonly PathStep[] {
    const path: PathStep[] = [];
    const document = parseDocument(text, { ...verbatim, logLevel: 'silent' });
    let written: unknown = document.contents;
    let drafted: unknown = this.root;
    const isAt = (node: unknown): boolean => {
      const [from = 0, to = -1] = (node as Node | null)?.range ?? [];
      return from <= offset && offset <= to;
    };
    for (;;) {
      if (isMap(written) && isMap(drafted)) {
        const pair = written.items.find(({ key, value }) => isAt(key) || isAt(value));
        const own = pair && pairOf(drafted, keyOf(pair));
        if (own === undefined) return path;
        path.push({ node: own.key, holder: undefined, key: keyOf(own) });
        path.push({ node: own.value, holder: drafted, key: undefined });
        if (isAt(pair?.key)) return path;
        [written, drafted] = [pair?.value, own.value];
      } else if (isSeq(written) && isSeq(drafted)) {
        const index = written.items.findIndex(isAt);
        if (index === -1) return path;
        path.push({ node: drafted.items[index], holder: drafted, key: undefined });
        [written, drafted] = [written.items[index], drafted.items[index]];
      } else {
        return path;
      }
    }
  }

  /** A message about the new stack at the place in the input that it comes from. */
  atOrigin(diagnostic: Diagnostic, text: string): Diagnostic {
    const where = this.originOf(diagnostic.where, text);
    const related = diagnostic.related?.flatMap((item) => {
      const place = this.originOf(item.where, text);
      return place === undefined ? [] : [{ ...item, where: place }];
    });
    return { ...diagnostic, where, related };
  }
}

interface PathStep {
  readonly node: unknown;
  readonly holder: YAMLMap | YAMLSeq | undefined;
  readonly key: string | undefined;
}
