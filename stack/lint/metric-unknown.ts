import { misspelled } from '../values/closest.ts';
import { counted, quoted } from '../values/words.ts';
import { metricNames, nodesOf, parseExpression } from './expression.ts';
import type { Finding, Lint, LintContext } from './lint.ts';

/** Series that Prometheus has only while alerts are active. */
const alertMetrics = ['ALERTS', 'ALERTS_FOR_STATE'];

/**
 * Metrics of rules that the running Prometheus does not have. While it is young or a target is down, only those that look like
 * misspelt names of others.
 */
export const metricUnknown: Lint = {
  code: 'metric-unknown',
  find: (context) => (context.live === undefined || context.live.metrics.size === 0 ? [] : unknownMetrics(context)),
  merge: perFile,
};

function unknownMetrics({ rules, live }: LintContext): readonly Finding[] {
  const metrics = live?.metrics ?? new Set();
  const recorded = rules.filter(({ kind }) => kind === 'record').map(({ name }) => name);
  const known = new Set([...metrics, ...recorded, ...alertMetrics]);
  const nearest = new Map<string, string | undefined>();
  const nearTo = (name: string): string | undefined => {
    if (!nearest.has(name)) nearest.set(name, misspelled(name, metrics));
    return nearest.get(name);
  };
  return rules
    .filter(({ isOwn }) => isOwn)
    .flatMap(({ name, expr, file, path }) => {
      const { top } = parseExpression(expr);
      // absent() is meant for metrics that may not exist.
      const absent = nodesOf(top, 'FunctionCall').filter(({ firstChild }) =>
        /^Absent/.test(firstChild?.firstChild?.name ?? ''),
      );
      const isInAbsent = (at: number): boolean => absent.some(({ from, to }) => from <= at && at < to);
      const unknown = metricNames(expr, top).filter(({ value, from }) => !known.has(value) && !isInAbsent(from));
      const once = new Map(unknown.toReversed().map((span) => [span.value, span]));
      return [...once.values()].toReversed().flatMap(({ value, from, length }): readonly Finding[] => {
        const near = nearTo(value);
        if (near === undefined && live?.isComplete !== true) return [];
        return [
          {
            file,
            path: [...path, 'expr'],
            within: { from, length },
            message: `${name} uses the metric ${quoted(value)}, which the running Prometheus does not have`,
            hint: near === undefined ? 'no target exposes it yet, or it has another name' : misspeltHint(near),
            subject: value,
          },
        ];
      });
    });
}

const misspeltHint = (near: string): string => `did you mean ${quoted(near)}?`;
const isMisspelt = ({ hint }: Finding): boolean => hint?.startsWith('did you mean') === true;

/** How many metrics or files are named, of each kind. */
const mostNamed = 5;

/** Misspelt metrics, and one finding a file about all others. */
function perFile(findings: readonly Finding[]): readonly Finding[] {
  const files = [...new Set(findings.map(({ file }) => file))];
  const merged = files.map((file) => {
    const inFile = findings.filter((finding) => finding.file === file);
    const misspelt = onePerMetric(inFile.filter(isMisspelt)).slice(0, mostNamed);
    const others = onePerMetric(inFile).filter((finding) => !misspelt.includes(finding));
    return [...misspelt, ...together(others)];
  });
  const [named, more] = [merged.slice(0, mostNamed).flat(), files.slice(mostNamed)];
  if (more.length === 0) return named;
  const metrics = onePerMetric(findings.filter(({ file }) => more.includes(file)));
  const message = `${counted(metrics.length, 'metric')} of ${counted(more.length, 'more rule file')} ${metrics.length === 1 ? 'is' : 'are'} not in the running Prometheus: ${listed(more.map((file) => file?.origin ?? ''))}`;
  return [
    ...named,
    { path: ['prometheus', 'rules'], message, hint: 'no target exposes them yet, or they have other names' },
  ];
}

function onePerMetric(findings: readonly Finding[]): readonly Finding[] {
  const first = new Map<string | undefined, Finding>();
  for (const finding of findings) if (!first.has(finding.subject)) first.set(finding.subject, finding);
  return [...first.values()];
}

function together(findings: readonly Finding[]): readonly Finding[] {
  const [first] = findings;
  if (first === undefined || findings.length === 1) return findings;
  const names = listed(findings.map(({ subject }) => subject ?? ''));
  const message = `${findings.length} metrics of this file are not in the running Prometheus: ${names}`;
  return [{ ...first, message, hint: 'no target exposes them yet, or they have other names' }];
}

function listed(names: readonly string[]): string {
  const more = names.length - mostNamed;
  return `${names.slice(0, mostNamed).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}
