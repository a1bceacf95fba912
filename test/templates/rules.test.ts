import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { promqlErrors } from '../support/promql.ts';
import { ruleFiles, ruleTests, shippedAlerts } from '../support/shipped.ts';

interface RuleTest {
  readonly rule_files: readonly string[];
  readonly tests: readonly {
    readonly name?: string;
    readonly alert_rule_test: readonly {
      readonly alertname: string;
      readonly exp_alerts: readonly { readonly exp_labels: Readonly<Record<string, string>> }[];
    }[];
  }[];
}

/** The expectations of a rule file's unit tests for each alert. */
function expectationsFor(ruleFile: string) {
  const { tests } = parse(ruleTests[ruleFile.replace('rules/', 'tests/')] ?? 'tests: []') as RuleTest;
  return tests.flatMap((test) => test.alert_rule_test);
}

describe('shipped rule files', () => {
  it('must exist for each service that has metrics', () => {
    expect(Object.keys(ruleFiles)).toEqual(
      expect.arrayContaining([
        'rules/alertmanager.yml',
        'rules/prometheus.yml',
        'rules/pushgateway.yml',
        'rules/targets.yml',
      ]),
    );
  });

  it('must each have a unit test with the same file name', () => {
    expect(Object.keys(ruleTests).map((path) => path.replace('tests/', 'rules/'))).toEqual(Object.keys(ruleFiles));
    for (const [path, text] of Object.entries(ruleTests)) {
      expect((parse(text) as RuleTest).rule_files, path).toEqual([`../${path.replace('tests/', 'rules/')}`]);
    }
  });

  it('must have unique group names, because Prometheus identifies the state of alerts by them', () => {
    const groups = new Map(shippedAlerts.map(({ file, group }) => [`${file} ${group}`, group]));
    expect([...groups.values()]).toEqual([...new Set(groups.values())]);
  });
});

describe.each(shippedAlerts)('$alert ($labels.severity) of $file', ({ file, alert, expr, labels, annotations }) => {
  it('must have a severity, a summary, a description and a runbook', () => {
    expect(labels).toEqual({ severity: expect.stringMatching(/^(critical|warning|info)$/) });
    expect(Object.keys(annotations)).toEqual(['summary', 'description', 'runbook']);
    expect(annotations['summary']).toMatch(/^\S.{5,80}[^.]$/);
    expect(annotations['description']).toMatch(/\.$|\.\{\{ end \}\}$/);
    expect(annotations['runbook']).toMatch(/^1\. .+\.$/);
  });

  it('must have a valid expression', () => {
    expect(promqlErrors(expr)).toEqual([]);
  });

  it('must have a unit test in which it fires and one in which it does not', () => {
    const expected = expectationsFor(file).filter(({ alertname }) => alertname === alert);
    const fires = expected
      .flatMap((testCase) => testCase.exp_alerts)
      .filter((expectedAlert) => expectedAlert.exp_labels['severity'] === labels['severity']);
    const stays = expected.filter((testCase) => testCase.exp_alerts.length === 0);
    expect(fires.length, 'unit tests in which it fires').toBeGreaterThan(0);
    expect(stays.length, 'unit tests in which it does not fire').toBeGreaterThan(0);
  });
});
