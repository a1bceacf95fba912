import type { Diagnostic, SourceRange } from '../../stack/diagnostic.ts';

/**
 * What an import made of a part of the input. `taken`: the same in the stack; `changed`: its meaning is kept in another form, or is
 * not quite the same; `left`: not in the stack.
 */
export interface Finding {
  readonly fate: 'taken' | 'changed' | 'left';
  /** The key or the file: `global.scrape_interval`, `services.grafana`. */
  readonly what: string;
  readonly where?: SourceRange | undefined;
  /** The key of stack.yml or the file that has it. */
  readonly into?: string | undefined;
  readonly why?: string | undefined;
}

/** The findings of an import, and the mistakes in its input. */
export class Findings {
  readonly all: Finding[] = [];
  readonly problems: Diagnostic[] = [];

  taken(what: string, where: SourceRange | undefined, into: string): void {
    this.all.push({ fate: 'taken', what, where, into });
  }

  changed(what: string, where: SourceRange | undefined, into: string | undefined, why: string): void {
    this.all.push({ fate: 'changed', what, where, into, why });
  }

  left(what: string, where: SourceRange | undefined, why: string): void {
    this.all.push({ fate: 'left', what, where, why });
  }

  /** A mistake in the input, for which nothing is written unless the user asks for a part. */
  wrong(message: string, where: SourceRange | undefined, hint?: string): void {
    this.problems.push({ severity: 'error', code: 'import', message, where, hint });
  }
}

const headings = {
  left: 'Left out',
  changed: 'Changed',
  taken: 'Taken',
} as const satisfies Record<Finding['fate'], string>;

/** The report of an import, in Markdown: what is left first, since that needs a look. */
export function reportText(
  findings: readonly Finding[],
  problems: readonly Diagnostic[],
  secrets: readonly ImportedSecret[],
  nextSteps: readonly string[],
): string {
  const lines = ['# Import', ''];
  const section = (title: string, items: readonly string[]): void => {
    if (items.length > 0) lines.push(`## ${title}`, '', ...items.map((item) => `- ${item}`), '');
  };
  section(
    'Problems',
    problems.map(({ message, where, hint }) => `${at(where)}${message}${hint === undefined ? '' : `: ${hint}`}`),
  );
  if (nextSteps.length > 0) lines.push('## Next', '', nextSteps.join('\n\n'), '');
  section(
    'Secrets',
    secrets.map(({ file, what, where }) => `\`${file}\`: ${at(where)}\`${what}\``),
  );
  lines.push(...findingSections(findings));
  return `${lines.join('\n').trimEnd()}\n`;
}

/** The lines of a report with what became of each part: what is left first, since that needs a look. */
export function findingSections(findings: readonly Finding[]): readonly string[] {
  return (['left', 'changed', 'taken'] as const).flatMap((fate) => {
    const items = findings.flatMap((finding) => (finding.fate === fate ? [`- ${findingLine(finding)}`] : []));
    return items.length === 0 ? [] : [`## ${headings[fate]}`, '', ...items, ''];
  });
}

/** A secret of the input and the file beside stack.yml that has it. */
export interface ImportedSecret {
  readonly file: string;
  readonly what: string;
  readonly where?: SourceRange | undefined;
}

const at = (where: SourceRange | undefined): string => (where === undefined ? '' : `${where.file}:${where.line}: `);

function findingLine({ what, where, into, why }: Finding): string {
  const target = into === undefined || into === what ? '' : ` → \`${into}\``;
  return `${at(where)}\`${what}\`${target}${why === undefined ? '' : `: ${why}`}`;
}
