import { relative, resolve } from 'node:path';
import type { Location, Log } from 'sarif';
import type { Diagnostic } from '../../../stack/diagnostic.ts';
import { version } from '../../util/version.ts';
import { checkMarkdown } from './markdown.ts';

/** What `check` found, for the formats of other programs. */
export interface CheckReport {
  readonly diagnostics: readonly Diagnostic[];
  /** Whether warnings count as errors. */
  readonly strict: boolean;
  /** The last line of the text. */
  readonly verdict: string;
  /** The rendered services; none when they could not be rendered. */
  readonly services: readonly string[];
  /** The tools that could not run. */
  readonly missingTools: readonly string[];
  /** The stack file, as the user would type it. */
  readonly stackFile: string;
  readonly cwd: string;
  /** The folder that paths are relative to. */
  readonly root: string;
}

const places: ReadonlySet<string> = new Set(['error', 'warning']);

/** The path of a file from the root, with forward slashes; one outside has its whole path. */
function fromRoot({ cwd, root }: CheckReport, file: string): string {
  const path = relative(root, resolve(cwd, file));
  return path.startsWith('..') ? resolve(cwd, file) : path;
}

const levelOf = ({ severity }: Diagnostic, { strict }: Pick<CheckReport, 'strict'>): Diagnostic['severity'] =>
  strict && severity === 'warning' ? 'error' : severity;

const messageOf = ({ message, hint }: Diagnostic): string => (hint === undefined ? message : `${message}\n${hint}`);

/** Workflow commands of GitHub Actions, which become annotations at their lines. */
export function githubCommands(report: CheckReport): string {
  const data = (text: string): string => text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
  const property = (text: string): string => data(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
  const lines = report.diagnostics.map((diagnostic) => {
    const { where, code } = diagnostic;
    const level = levelOf(diagnostic, report);
    const place =
      where === undefined
        ? []
        : [
            `file=${property(fromRoot(report, where.file))}`,
            `line=${where.line}`,
            `col=${where.column}`,
            `endColumn=${where.column + where.length}`,
          ];
    const properties = [...place, `title=${property(code)}`].join(',');
    return `::${places.has(level) ? level : 'notice'} ${properties}::${data(messageOf(diagnostic))}\n`;
  });
  return `${lines.join('')}${report.verdict}\n`;
}

/** A summary in Markdown. */
export const markdown = (report: CheckReport): string =>
  checkMarkdown(report.verdict, report.diagnostics, (diagnostic) => levelOf(diagnostic, report));

/** SARIF 2.1.0, for code scanning. */
export function sarif(report: CheckReport): string {
  const rules = [...new Set(report.diagnostics.map(({ code }) => code))].sort();
  const uriOf = (file: string) => {
    const path = fromRoot(report, file);
    const uri = path.split('/').map(encodeURIComponent).join('/');
    return path.startsWith('/') ? { uri: `file://${uri}` } : { uri, uriBaseId: '%SRCROOT%' };
  };
  const locationOf = ({ where }: Pick<Diagnostic, 'where'>): Location => ({
    physicalLocation: {
      // Code scanning takes no result without a place.
      artifactLocation: uriOf(where?.file ?? report.stackFile),
      region:
        where === undefined
          ? { startLine: 1 }
          : { startLine: where.line, startColumn: where.column, endColumn: where.column + where.length },
    },
  });
  const notifications = report.missingTools.map((tool) => {
    return { level: 'error' as const, message: { text: `the files were not checked by ${tool}: no image, no tools` } };
  });
  // Its type is that of the schema.
  const log: Log = {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: { driver: { name: 'promstack', version: version(), rules: rules.map((id) => ({ id })) } },
        columnKind: 'utf16CodeUnits',
        invocations: [{ executionSuccessful: notifications.length === 0, toolExecutionNotifications: notifications }],
        results: report.diagnostics.map((diagnostic) => ({
          ruleId: diagnostic.code,
          ruleIndex: rules.indexOf(diagnostic.code),
          level: levelOf(diagnostic, report),
          message: { text: messageOf(diagnostic) },
          locations: [locationOf(diagnostic)],
          relatedLocations: (diagnostic.related ?? []).map(({ where, message }, id) => {
            return { id, ...locationOf({ where }), message: { text: message } };
          }),
        })),
      },
    ],
  };
  return `${JSON.stringify(log, null, 2)}\n`;
}

/** JUnit's XML: a test case for each service, each problem and each tool that could not run. */
export function junit(report: CheckReport): string {
  const { diagnostics, services, missingTools } = report;
  const failures = diagnostics.filter((diagnostic) => levelOf(diagnostic, report) === 'error');
  const testCase = (className: string, name: string, content = ''): string =>
    `    <testcase classname="${xml(className)}" name="${xml(name)}" time="0"${content === '' ? '/>' : `>${content}</testcase>`}\n`;
  const cases = [
    ...services.map((service) => testCase('promstack.render', service)),
    ...diagnostics.map((diagnostic) => {
      const { where, code, severity, message } = diagnostic;
      const place = where === undefined ? '' : `${fromRoot(report, where.file)}:${where.line}:${where.column}`;
      const text = xml(`${place === '' ? '' : `${place} `}${messageOf(diagnostic)}`);
      const content = failures.includes(diagnostic)
        ? `<failure type="${xml(code)}" message="${xml(message)}">${text}</failure>`
        : `<system-out>${severity}: ${text}</system-out>`;
      return testCase(
        where === undefined ? 'promstack' : fromRoot(report, where.file),
        `${code} ${place}`.trim(),
        content,
      );
    }),
    ...missingTools.map((tool) => testCase('promstack.tools', tool, '<skipped>no image, no tools</skipped>')),
  ];
  const counts = `tests="${cases.length}" failures="${failures.length}" errors="0" time="0"`;
  return [
    '<?xml version="1.0" encoding="UTF-8"?>\n',
    `<testsuites ${counts}>\n  <testsuite name="promstack check" ${counts} skipped="${missingTools.length}">\n`,
    ...cases,
    '  </testsuite>\n</testsuites>\n',
  ].join('');
}

/** Text of an XML element or attribute; characters that XML does not have are left out. */
function xml(text: string): string {
  const entities: Readonly<Record<string, string>> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
    '\n': '&#10;',
  };
  return text
    .replaceAll(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, '')
    .replaceAll(/[&<>"\n]/g, (character) => entities[character] ?? character);
}
