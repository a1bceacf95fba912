import type { KeyPath } from '../../stack/diagnostic.ts';
import type { CheckCommand, CheckFinding, ConfigPart, DivisibleFile, RenderedFile } from '../../stack/model.ts';
import { Secret } from '../../stack/secret.ts';
import { revealed } from '../render/show.ts';
import { StackError } from '../util/stack-error.ts';
import { ConfigDocument } from './config-document.ts';

/** What one file of a run is: its findings; undefined when the run ended before it. */
type Outcome = readonly CheckFinding[] | undefined;

/** Runs a command, which failed, on other files in the place of its divisible one; rejects where it cannot run. */
export type RunCommand = (command: CheckCommand) => Promise<string>;

/** How many values of a part are removed in turn, and of how many parts. */
const maxValues = 400;
const maxParts = 10;
/** How many values of a part with several mistakes are tried as the first of them. */
const maxFirst = 5;

/**
 * Findings whose place the tool did not say, with their place: the tool checks each part of the file alone, then the wrong ones again
 * without one of their values at a time. A value without which a part is valid is what the message is about.
 */
export async function narrowFindings(
  findings: readonly CheckFinding[],
  command: CheckCommand,
  files: readonly RenderedFile[],
  run: RunCommand,
): Promise<readonly CheckFinding[]> {
  const { divisible } = command;
  const isOpen = ({ path, line, at }: CheckFinding): boolean =>
    line === undefined && at === undefined && (path === undefined || path === divisible?.path);
  const file = files.find(({ path }) => path === divisible?.path);
  const document = findings.some(isOpen) && file !== undefined ? ConfigDocument.read(revealed(file)) : undefined;
  if (divisible === undefined || file === undefined || document === undefined) return findings;
  const search = new Search(document, divisible, (texts) => checkTexts(texts, command, file, run));
  try {
    const placed = await search.place(findings.filter(isOpen));
    return [...findings.filter((finding) => !isOpen(finding)), ...placed];
  } catch (error) {
    // What is wrong is known; only its place is not.
    if (error instanceof StackError) return findings;
    throw error;
  }
}

class Search {
  readonly #document: ConfigDocument;
  readonly #file: DivisibleFile;
  readonly #check: (texts: readonly string[]) => Promise<readonly Outcome[]>;

  constructor(
    document: ConfigDocument,
    file: DivisibleFile,
    check: (texts: readonly string[]) => Promise<readonly Outcome[]>,
  ) {
    this.#document = document;
    this.#file = file;
    this.#check = check;
  }

  async place(findings: readonly CheckFinding[]): Promise<readonly CheckFinding[]> {
    const { shared } = this.#file;
    const parts = this.#file.partsOf(this.#document.value);
    const all = await this.#check(parts.map((part) => this.#document.part(part, shared)));
    const outcomes = all.map((findings) => this.#ofFile(findings));
    // The tool reads other files, such as rules, only when this one is valid.
    const others = all.flatMap((findings = []) =>
      findings.filter(({ path }) => path !== undefined && path !== this.#file.path),
    );
    return [...(await this.#placeIn(findings, parts, outcomes)), ...others];
  }

  #ofFile(findings: Outcome): Outcome {
    return findings?.filter(({ path }) => path === undefined || path === this.#file.path);
  }

  async #placeIn(
    findings: readonly CheckFinding[],
    parts: readonly ConfigPart[],
    outcomes: readonly Outcome[],
  ): Promise<readonly CheckFinding[]> {
    const { shared } = this.#file;
    const wrong = parts.flatMap((part, at) => {
      const [finding] = outcomes[at] ?? [];
      return finding === undefined ? [] : [{ part, finding }];
    });
    if (wrong.length === 0) return this.#placeBetween(findings, parts);
    // Every part is checked with the shared keys, and fails with them.
    const ofShared = wrong.filter(({ part }) => shared.includes(String(part.at[0])));
    return this.#placeWithin(ofShared.length > 0 ? ofShared : wrong);
  }

  async #placeWithin(
    wrong: readonly { readonly part: ConfigPart; readonly finding: CheckFinding }[],
  ): Promise<readonly CheckFinding[]> {
    const { shared } = this.#file;
    const narrowed = wrong.slice(0, maxParts).flatMap(({ part }) => {
      const most = variantsOf(this.#document.part(part, shared));
      return this.#document.below(part, most).map((path) => ({ part, path }));
    });
    const checked = await this.#check(narrowed.map(({ part, path }) => this.#document.part(part, shared, path)));
    const variants = narrowed.map((variant, at) => ({ ...variant, outcome: this.#ofFile(checked[at]) }));
    const placed = wrong.map(async ({ part, finding }) => {
      const own = variants.filter((variant) => variant.part === part);
      const valid = own.flatMap(({ path, outcome }) => (outcome?.length === 0 ? [path] : []));
      const place = deepest(valid);
      const inner = own.filter(({ path }) => isWithin(path, place));
      const both = await this.#placeTwo(part, finding, { place, inner });
      return (both ?? [{ finding, at: place }]).map(({ finding, at: inner }) => {
        const at = this.#document.quotedIn([...part.at, ...inner], finding);
        return { ...finding, path: this.#file.path, line: undefined, at, message: named(part, finding.message) };
      });
    });
    return (await Promise.all(placed)).flat();
  }

  /** The places of two mistakes of a part: without the first value another one is reported, without both the part is valid. */
  async #placeTwo(
    part: ConfigPart,
    finding: CheckFinding,
    {
      place,
      inner: variants,
    }: {
      readonly place: KeyPath;
      readonly inner: readonly { readonly path: KeyPath; readonly outcome: Outcome }[];
    },
  ): Promise<readonly { readonly finding: CheckFinding; readonly at: KeyPath }[] | undefined> {
    const changed = variants.flatMap(({ path, outcome = [] }) => {
      const [second] = outcome;
      if (second === undefined || second.message === finding.message) return [];
      // Without the first value another one is incomplete, which is no mistake.
      const isConsequence = second.message.includes(String(path.at(-1)));
      return isConsequence ? [] : [{ path, second }];
    });
    const innermost = changed.filter(({ path }) => !changed.some((inner) => isWithin(inner.path, path)));
    for (const { path: first, second } of innermost.slice(0, maxFirst)) {
      const others = variants
        .map(({ path }) => path)
        .filter((path) => !isWithin(first, path) && !isWithin(path, first));
      const texts = others.map((path) => this.#document.part(part, this.#file.shared, first, path));
      const outcomes = await this.#check(texts.slice(0, variantsOf(texts[0] ?? '')));
      const valid = others.filter((_, at) => this.#ofFile(outcomes[at])?.length === 0);
      if (valid.length > 0)
        return [
          { finding, at: first },
          { finding: second, at: deepest(valid, place) },
        ];
    }
    return undefined;
  }

  /**
   * Places what is valid part by part, such as a name that two of them have: without either of them the file is valid. Of a large
   * file several parts are removed at a time, then fewer of those.
   */
  async #placeBetween(
    findings: readonly CheckFinding[],
    parts: readonly ConfigPart[],
  ): Promise<readonly CheckFinding[]> {
    const whole = this.#document.without([]);
    const [first] = await this.#check([whole]);
    if (first === undefined || this.#ofFile(first)?.length === 0) return findings;
    const most = Math.max(2, variantsOf(whole));
    for (let candidates = parts; candidates.length > 0; ) {
      const size = Math.ceil(candidates.length / most);
      const chunks = Array.from({ length: Math.ceil(candidates.length / size) }, (_, at) =>
        candidates.slice(at * size, (at + 1) * size),
      );
      const texts = chunks.map((chunk) => this.#document.without(chunk.map(({ at }) => at)));
      const outcomes = await this.#check(texts);
      candidates = chunks.findLast((_, at) => this.#ofFile(outcomes[at])?.length === 0) ?? [];
      const [part] = candidates;
      if (part !== undefined && candidates.length === 1)
        return findings.map((finding) => ({ ...finding, path: this.#file.path, at: part.at }));
    }
    return findings;
  }
}

/** The most characters of all files of a run. */
const maxCharacters = 4_000_000;

/** How many files of about this text may be checked in one run. */
function variantsOf(text: string): number {
  return Math.min(maxValues, Math.floor(maxCharacters / Math.max(1, text.length)));
}

/** The end of the longest chain of values, each inside the one before, without which a part is valid; it begins below `from`. */
function deepest(valid: readonly KeyPath[], from: KeyPath = []): KeyPath {
  let path = from;
  for (;;) {
    const inner = valid.findLast(
      (candidate) => candidate.length === path.length + 1 && path.every((key, at) => candidate[at] === key),
    );
    if (inner === undefined) return path;
    path = inner;
  }
}

/** Whether a value is inside another one. */
function isWithin(inner: KeyPath, outer: KeyPath): boolean {
  return inner.length > outer.length && outer.every((key, at) => inner[at] === key);
}

/** A message with the name of its part, unless it has it already. */
function named({ kind, name }: ConfigPart, message: string): string {
  const isNamed = kind === undefined || name === undefined || message.includes(`"${name}"`);
  return isNamed ? message : `${kind} ${name}: ${message}`;
}

/** Runs a command's tool once over several files that each take the place of its file. */
async function checkTexts(
  texts: readonly string[],
  command: CheckCommand,
  file: RenderedFile,
  run: RunCommand,
): Promise<readonly Outcome[]> {
  if (texts.length === 0) return [];
  const { content, secrets, mode } = file;
  const parts = texts.map((text, at): RenderedFile => {
    const path = `promstack-part-${at + 1}.yml`;
    return {
      ...{ service: file.service, origin: file.origin, path, mode, secrets },
      content: content instanceof Secret ? new Secret(text, content.origin) : text,
    };
  });
  const argv = command.argv.flatMap((argument) =>
    argument === `CONFIG/${file.path}` ? parts.map(({ path }) => `CONFIG/${path}`) : [argument],
  );
  const output = await run({ ...command, argv, alsoRun: [], reads: [...(command.reads ?? []), ...parts] });
  const sections = new Map(sectionsOf(output));
  return parts.map(({ path }) => {
    const section = sections.get(path);
    if (section === undefined) return undefined;
    return command.explain(section.replaceAll(`CONFIG/${path}`, `CONFIG/${file.path}`));
  });
}

/**
 * What promtool or amtool printed for each file. Where the two streams could not be joined, the errors come before all files, in
 * their order, and a file without an error is called a success.
 */
function sectionsOf(output: string): readonly (readonly [path: string, text: string])[] {
  const pieces = output.split(/^(?=Checking '?CONFIG\/promstack-part-)/m);
  const sections = pieces.filter((piece) => piece.startsWith('Checking '));
  const errors = pieces
    .filter((piece) => !sections.includes(piece))
    .join('')
    .split(/^(?= *FAILED:)/m)
    .filter((text) => text.trim() !== '');
  return sections.map((text) => {
    const [path = ''] = /promstack-part-\d+\.yml/.exec(text) ?? [];
    const isComplete = /\b(?:SUCCESS|FAILED)\b|^panic: /m.test(text);
    return [path, isComplete ? text : `${text}\n${errors.shift() ?? ''}`] as const;
  });
}
