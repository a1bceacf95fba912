import { describe, expect, it } from 'vitest';
import { promtoolNotices } from '../../../stack/prometheus/promtool-notices.ts';
import { fileOf } from '../../support/check-commands.ts';

const rules = fileOf(
  'rules/user/a.yml',
  `groups:
  - name: a
    rules:
      - record: a:b
        expr: sum(up)
      - record: a:b
        expr: sum(up) + 1
      - alert: X
        expr: up == 0
        labels: {severity: page, team: 0012}
  - name: b
    labels: {team: 0012}
    rules:
      - alert: X
        expr: up == 1
        labels: {severity: page}
      - alert: X
        expr: up == 2
        labels: {severity: ticket}
`,
);

/** As promtool 3.5.3 prints it, with stderr in its place. */
const output = `Checking CONFIG/prometheus.yml
  WARNING: file "CONFIG/nope.json" for file_sd in scrape job "x" does not exist
  SUCCESS: 1 rule files found
 SUCCESS: CONFIG/prometheus.yml is valid prometheus config file syntax

Checking CONFIG/rules/user/a.yml
  FAILED:
lint error 2 duplicate rule(s) found.
Metric: X
Label(s):
\tseverity: page
\tteam: 0012
Metric: a:b
Label(s):
Might cause inconsistency while recording expressions

Checking CONFIG/rules/user/b.yml
  SUCCESS: 1 rules found
`;

describe('what promtool prints about accepted files', () => {
  it('must be reported at the second of two equal rules, and at the job', () => {
    expect(promtoolNotices(output, [rules]).map(({ hint: _hint, ...rest }) => rest)).toEqual([
      {
        path: 'prometheus.yml',
        about: 'job_name: x',
        message: 'file "nope.json" for file_sd in scrape job "x" does not exist',
      },
      {
        path: 'rules/user/a.yml',
        line: 14,
        column: 16,
        about: 'X',
        message: 'the rule X is there twice with the same labels: the other one is in line 8',
      },
      {
        path: 'rules/user/a.yml',
        line: 6,
        column: 17,
        about: 'a:b',
        message: 'the rule a:b is there twice with the same labels: the other one is in line 4',
      },
    ]);
  });

  it('must be reported once for each further rule, and without a place when stderr comes first', () => {
    const [stdout, stderr] = [
      output.replace(/ {2}FAILED:\nlint[\s\S]*expressions\n/, ''),
      /lint[\s\S]*expressions\n/.exec(output)?.[0],
    ];
    expect(promtoolNotices(`  FAILED:\n${stderr}${stdout}`, [rules]).map(({ line }) => line)).toEqual([
      undefined,
      14,
      6,
    ]);
    expect(
      promtoolNotices(output, [])
        .map(({ path, message }) => [path, message])
        .slice(1),
    ).toEqual([
      ['rules/user/a.yml', 'there are two rules X with the same labels'],
      ['rules/user/a.yml', 'there are two rules a:b with the same labels'],
    ]);
  });

  it('must be nothing where it has no complaints', () => {
    const accepted = output.replace(/^ {2}WARNING.*\n/m, '').replace(/ {2}FAILED:\nlint[\s\S]*expressions\n/, '');
    expect(promtoolNotices(accepted, [rules])).toEqual([]);
    const feature = '  WARNING: Unknown feature passed to --enable-feature: promql-xyzChecking CONFIG/prometheus.yml\n';
    expect(promtoolNotices(feature + accepted, [rules])).toEqual([]);
  });
});
