import { describe, expect, it } from 'vitest';
import { alertOf, lint, ruleFileOf } from '../../support/lint.ts';

const alerts = [
  alertOf('NodeDown', 'severity: critical, team: infra'),
  alertOf('DiskFilling', 'severity: warning, team: infra', 'sum by (instance) (x) > 1'),
  alertOf('QueueLong', 'severity: ticket', 'sum(y) > 1'),
  alertOf('QueueFull', 'severity: page', 'sum(y) > 9'),
].join('');

const lintRule = (rule: string, stack = ''): Promise<readonly string[]> =>
  lint({
    stack: `${stack}alertmanager:\n  inhibit_rules:\n    - ${rule}\n`,
    rules: { 'rules/a.yml': ruleFileOf(alerts) },
  });

describe('inhibit-any-source', () => {
  it.each([
    ['{target_matchers: [severity="warning"], equal: [instance]}', 'it has no source matchers'],
    ['{source_matchers: [], target_match: {severity: warning}}', 'it has no source matchers'],
    [
      '{source_matchers: [alertname=~".+"], target_matchers: [severity="warning"]}',
      'its source matchers match every alert',
    ],
    [
      '{source_match_re: {severity: .*}, target_matchers: [severity="warning"]}',
      'its source matchers match every alert',
    ],
  ])('must warn about %s', async (rule, why) => {
    expect(await lintRule(rule)).toEqual([
      expect.stringMatching(
        `^warning inhibit-any-source stack.yml:3:7.* any alert mutes the targets of this inhibit rule: ${why} `,
      ),
    ]);
  });

  it('must not warn about a rule without target matchers, which may mute everything', async () => {
    expect(await lintRule('{source_matchers: [alertname="NodeDown"]}')).toEqual([]);
  });
});

describe('inhibit-absent-label', () => {
  const sides = 'source_matchers: [severity="critical"], target_matchers: [severity="warning"]';

  it.each([
    ['instnce', 'did you mean instance?'],
    ['Team', 'did you mean team?'],
    ['alert_name', 'did you mean alertname?'],
    ['rack', 'remove rack, or add it to the alerts'],
  ])('must warn about %s, which nothing sets or uses', async (label, hint) => {
    expect(await lintRule(`{${sides}, equal: [job, ${label}]}`)).toEqual([
      `warning inhibit-absent-label stack.yml:3:100+${label.length} "equal" has no effect for the label ${label}: no rule or target of this stack sets or uses it, and absent labels are equal (${hint})`,
    ]);
  });

  it('must warn about one that no alert of the rule can have', async () => {
    const rule = '{source_matchers: [severity="page"], target_matchers: [severity="ticket"], equal: [instance]}';
    expect(await lintRule(rule)).toEqual([
      expect.stringContaining('no effect for the label instance: no alert that this rule is about has it'),
    ]);
  });

  it.each(['[team, instance, job]', '[alertname, instance]'])('must not warn about %s', async (equal) => {
    expect(await lintRule(`{${sides}, equal: ${equal}}`)).toEqual([]);
  });

  it('must not warn about labels that discovery or relabelling may set', async () => {
    const job = (rest: string): string => `prometheus: {scrape_configs: [{job_name: x, ${rest}}]}\n`;
    const rule = `{${sides}, equal: [rack]}`;
    expect(await lintRule(rule, job('file_sd_configs: [{files: [a.yml]}]'))).toEqual([]);
    expect(await lintRule(rule, job('relabel_configs: [{action: labelmap, regex: "x(.+)"}]'))).toEqual([]);
    expect(await lintRule(rule, job('relabel_configs: [{target_label: rack, replacement: a}]'))).toEqual([]);
    expect(await lintRule(rule, job('static_configs: [{targets: [x:1], labels: {rack: a}}]'))).toEqual([]);
    expect(await lintRule(rule, job('metrics_path: /federate'))).toEqual([]);
  });
});

describe('inhibit-never-matches', () => {
  it('must warn when "equal" names the label by which source and target differ', async () => {
    const rule = '{source_matchers: [alertname="NodeDown"], target_matchers: [severity="warning"], equal: [alertname]}';
    expect(await lintRule(rule)).toEqual([
      expect.stringContaining(
        'never mutes an alert: "equal" requires the same alertname, but no source and target of this stack have the same (remove alertname from "equal"',
      ),
    ]);
  });

  it.each([
    ['alertname=~"Down"', 'alertname=~".*Down"'],
    ['severity="crit"', 'severity="critical"'],
  ])('must hint at what was probably meant by %s', async (matcher, better) => {
    const rule = `{source_matchers: ['${matcher}'], target_matchers: [severity="warning"]}`;
    expect(await lintRule(rule)).toEqual([expect.stringContaining(`(did you mean ${better}?)`)]);
  });

  it('must not warn about alerts that may come from elsewhere, in a stack without rules of its own', async () => {
    const inhibit = (source: string): string =>
      `alertmanager: {inhibit_rules: [{source_matchers: ['${source}'], target_matchers: [severity="warning"]}]}\n`;
    expect(await lint({ stack: inhibit('severity="high"') })).toEqual([]);
    expect(await lint({ stack: inhibit('severity="Critical"') })).toHaveLength(1);
  });

  it('must not warn about the usual rule, whether or not an alert has both severities', async () => {
    const rule =
      '{source_matchers: [severity="critical"], target_matchers: [severity="warning"], equal: [alertname, instance]}';
    expect(await lintRule(rule, 'prometheus: {shipped_rules: false}\n')).toEqual([]);
  });
});
