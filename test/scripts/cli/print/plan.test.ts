import { createColors } from 'picocolors';
import { describe, expect, it } from 'vitest';
import { printPlan, printReport } from '../../../../scripts/cli/print/plan.ts';
import { alertImpact } from '../../../../scripts/plan/alert-impact.ts';
import { fileChanges } from '../../../../scripts/plan/file-changes.ts';
import type { Plan } from '../../../../scripts/plan/plan.ts';
import type { PlanReport } from '../../../../scripts/plan/plan-stack.ts';
import { reconcile } from '../../../../scripts/plan/reconcile.ts';
import { shortHash } from '../../../../scripts/util/hash.ts';
import { stackSchema } from '../../../../stack/config.ts';
import type { RenderedFile } from '../../../../stack/model.ts';
import { Secret } from '../../../../stack/secret.ts';
import { findService } from '../../../../stack/services.ts';
import { desiredStack, observedAs, withService } from '../../../support/states.ts';

const rules = `groups:
  - name: web
    rules:
      - alert: Down
        expr: up == 0
        for: 5m
        labels: {severity: page}
      - alert: Slow
        expr: latency > 1
        labels: {severity: warning}
        annotations: {summary: slow}
      - record: a:b
        expr: sum(b)
`;

const routes = `route:
  receiver: mail
  routes:
    - receiver: pager
      matchers: [severity="page"]
`;

describe('the report of a plan', () => {
  it('must show the effect of an edit of rules, and its diff', () => {
    const edited = rules
      .replace('for: 5m', 'for: 10m')
      .replace('expr: up == 0', 'expr: up{job="web"} == 0')
      .replace('alert: Slow', 'alert: VerySlow');
    expect(report({ rules, routes }, { rules: edited, routes })).toMatchInlineSnapshot(`
      "plan for demo: 1 to change, 1 unchanged
        ~ prometheus     reload    its files changed: revision older -> prometheus-new

      alerts: 1 added, 1 removed, 1 changed, 2 in all
        + VerySlow{severity="warning"} in rules/user/a.yml, notifies mail
        - Slow{severity="warning"} in rules/user/a.yml
        ~ Down{severity="page"}: expr up == 0 -> up{job="web"} == 0
            for 5m -> 10m

      --- prometheus/rules/user/a.yml
      +++ prometheus/rules/user/a.yml
      @@ -2,10 +2,10 @@
         - name: web
           rules:
             - alert: Down
      -        expr: up == 0
      -        for: 5m
      +        expr: up{job="web"} == 0
      +        for: 10m
               labels: {severity: page}
      -      - alert: Slow
      +      - alert: VerySlow
               expr: latency > 1
               labels: {severity: warning}
               annotations: {summary: slow}
      "
    `);
  });

  it('must show the new receivers of alerts when a route changes', () => {
    const edited = routes
      .replace('severity="page"', 'severity="page", team="db"')
      .replace('receiver: mail', 'receiver: slack');
    expect(report({ rules, routes }, { rules, routes: edited })).toMatchInlineSnapshot(`
      "plan for demo: 1 to change, 1 unchanged
        ~ alertmanager   reload    its files changed: revision older -> alertmanager-new

      alerts: 2 routed differently, 2 in all
        > pager -> pager or slack, depending on the label team:
            Down{severity="page"}
        > mail -> slack:
            Slow{severity="warning"}

      --- alertmanager/alertmanager.yml
      +++ alertmanager/alertmanager.yml
      @@ -1,5 +1,5 @@
       route:
      -  receiver: mail
      +  receiver: slack
         routes:
           - receiver: pager
      -      matchers: [severity="page"]
      +      matchers: [severity="page", team="db"]
      "
    `);
  });

  it.each([
    {
      when: 'a route goes on no more',
      from: 'receiver: db, continue: true',
      to: 'receiver: db',
      expected:
        'chat, and db depending on the label team -> db or chat, depending on the label team:\n      Down{severity="page"}',
    },
    {
      when: 'a route asks for another value',
      from: 'team="db"',
      to: 'team="storage"',
      expected:
        'chat, and db depending on the label team (team="db") -> chat, and db depending on the label team (team="storage"):\n      Down{severity="page"}',
    },
    {
      when: 'one route takes what two took',
      from: 'receiver: db, continue: true',
      to: 'receiver: db',
      expected:
        'db or mail or chat, depending on the labels env, team -> db or mail or chat, depending on the labels env, team, in other combinations:\n      Slow{severity="warning"}',
    },
  ])('must show that $when, although it depends on unknown labels', ({ from, to, expected }) => {
    const tree = `route:
  receiver: chat
  routes:
    - {matchers: [team="db"], receiver: db, continue: true}
    - {matchers: ['severity=~"page|critical"'], receiver: chat}
    - {matchers: [env="prod"], receiver: mail}
`;
    expect(report({ rules, routes: tree }, { rules, routes: tree.replace(from, to) })).toContain(`  > ${expected}`);
  });

  it('must show the receivers of an alert when only its labels change', () => {
    const edited = rules.replace('severity: warning', 'severity: page');
    expect(report({ rules, routes }, { rules: edited, routes })).toContain(
      '  > mail -> pager:\n      Slow{severity="page"}',
    );
  });

  it.each([
    {
      when: 'moves to another group',
      from: 'name: web',
      to: 'name: site',
      expected: 'moved from rules/user/a.yml, group web to rules/user/a.yml, group site',
    },
    {
      when: 'gets another label',
      from: '{severity: page}',
      to: '{severity: page, team: db}',
      expected: 'label team added: db',
    },
  ])('must warn that an alert that $when loses its pending time', ({ from, to, expected }) => {
    const text = report({ rules, routes }, { rules: rules.replace(from, to), routes });
    expect(text).toMatch(/^ {2}~ Down\{severity="page"/m);
    expect(text).toContain(`: ${expected}\n      its pending time restarts\n`);
  });

  it('must not mention pending time when it is kept, or when there is none', () => {
    const edited = rules
      .replace('up == 0', 'up < 1')
      .replace('5m', '6m')
      .replace('severity: warning', 'severity: info');
    expect(report({ rules, routes }, { rules: edited, routes })).not.toContain('pending');
  });

  it('must take labels of the group and of all alerts into account', () => {
    const before = rules.replace('name: web', 'name: web\n    labels: {team: db}');
    const text = report(
      { rules: before, routes },
      { rules: before, routes: routes.replace('severity="page"', 'team="db"') },
    );
    expect(text).toContain('  > mail -> pager:\n      Slow{team="db", severity="warning"}');
  });

  it('must not show secrets, but report that one differs', () => {
    const text = report({ rules, routes, secret: 'hunter2' }, { rules, routes, secret: 'hunter3' });
    expect(text).toContain(
      '--- alertmanager/alertmanager.yml\n+++ alertmanager/alertmanager.yml\na secret in it differs\n',
    );
    expect(text).not.toContain('hunter');
  });

  it('must not show secrets written in a file, but report that one differs', () => {
    const hook = (key: string): string => `${routes}receivers: [{pagerduty_configs: [{routing_key: ${key}}]}]\n`;
    const expected = '+++ alertmanager/alertmanager.yml\na secret in it differs\n';
    const alone = report({ rules, routes: hook('hunter2') }, { rules, routes: hook('hunter3') });
    expect(alone).toMatch(new RegExp(`${expected.replaceAll('+', '\\+')}$`));
    const edited = report(
      { rules, routes: hook('hunter2') },
      { rules, routes: hook('hunter3').replace('mail', 'slack') },
    );
    expect(edited).toContain(`${expected}@@`);
    expect(alone + edited).not.toContain('hunter');
    const kept = report(
      { rules, routes: hook('hunter2') },
      { rules, routes: hook('hunter2').replace('mail', 'slack') },
    );
    expect(kept).not.toContain('a secret in it');
  });

  it('must not show the line of the revision as changed when a secret is added to a file', () => {
    const service = findService('alertmanager');
    const config = stackSchema.parse({ name: 'demo' });
    const stamped = (content: Content, revision: string) => ({
      files: service?.stamp?.(files(content).alertmanager, revision, config, shortHash) ?? [],
      revision,
    });
    const [change] = fileChanges(
      'alertmanager',
      stamped({ rules, routes }, 'aaaa'),
      stamped({ rules, routes, secret: 'hunter2' }, 'bbbb'),
    );
    expect(change?.diff).toContain('\n+url: [secret]\n # revision REVISION\n');
  });

  it('must not show a file that may contain a secret and has no masked content', () => {
    const before = files({ rules, routes, secret: 'hunter2' }).alertmanager;
    const after = files({ rules, routes: routes.replace('mail', 'slack'), secret: 'hunter2' }).alertmanager;
    const [change] = fileChanges(
      'alertmanager',
      { files: before.map(withoutMask), revision: 'a' },
      { files: after, revision: 'b' },
    );
    expect(JSON.stringify(change)).not.toContain('hunter');
  });

  it('must ignore the revision stamped into a file', () => {
    const [one, other] = ['aaaa', 'bbbb'].map((revision) => ({
      files: [file('prometheus', 'rules/promstack-revision.yml', `revision: "${revision}"\n`)],
      revision,
    }));
    expect(fileChanges('prometheus', one, other)).toEqual([]);
  });

  it('must show how a file without different lines differs', () => {
    const both = ['prometheus', 'alertmanager'] as const;
    const desired = desiredStack(both);
    const empty = (path: string) => file('prometheus', path, '');
    const planReport: Omit<PlanReport, 'stackFiles'> = {
      plan: reconcile(desired, observedAs(desired, both)),
      drift: [],
      substitutes: [],
      absentImages: [],
      files: fileChanges(
        'prometheus',
        { files: [empty('gone'), empty('opened')], revision: 'a' },
        { files: [empty('new'), { ...empty('opened'), mode: 0o644 }], revision: 'b' },
      ),
      meaning: alertImpact([], []),
    };
    expect(printReport(planReport, createColors(false))).toContain(
      [
        '--- prometheus/gone\n+++ /dev/null\nit is empty\n',
        '--- /dev/null\n+++ prometheus/new\nit is empty\n',
        '--- prometheus/opened\n+++ prometheus/opened\nits permissions differ\n',
      ].join(''),
    );
  });

  it('must not list the alerts of a new stack', () => {
    expect(report(undefined, { rules, routes })).toMatchInlineSnapshot(`
      "plan for demo: 2 to change, 0 unchanged
        + prometheus     create    no container yet
        + alertmanager   create    no container yet

      alerts: 2, all new
      "
    `);
  });

  it('must be in columns when a service has a long name', () => {
    const reasons = ['no container yet', 'it reads the host'] as const;
    const change = { action: 'create', because: reasons, risks: ['samples'] } as const;
    const changes = ['node', 'victoriametrics', `postgres-${'a'.repeat(31)}`].map((service) => ({
      service,
      ...change,
    }));
    const lines = printPlan({ stack: 'demo', changes, steps: [] } as unknown as Plan).split('\n');
    const columns = [...reasons, 'samples'].map((text) =>
      lines.filter((line) => line.includes(text)).map((line) => line.indexOf(text)),
    );
    expect(new Set(columns.flat()).size).toBe(1);
    expect(columns.flat()).toHaveLength(9);
  });

  it('must report that there is nothing to do', () => {
    expect(report({ rules, routes }, { rules, routes })).toMatchInlineSnapshot(`
      "plan for demo: nothing to do, 2 unchanged
      "
    `);
  });
});

interface Content {
  readonly rules: string;
  readonly routes: string;
  readonly secret?: string;
}

function report(before: Content | undefined, after: Content): string {
  const desired = desiredStack(['prometheus', 'alertmanager']);
  const [old, now] = [before === undefined ? undefined : files(before), files(after)];
  const isEdited = (name: 'prometheus' | 'alertmanager'): boolean =>
    JSON.stringify(reveal(old?.[name])) !== JSON.stringify(reveal(now[name]));
  const there = observedAs(desired, before === undefined ? [] : ['prometheus', 'alertmanager']);
  const observed = (['prometheus', 'alertmanager'] as const).reduce(
    (state, name) => (before !== undefined && isEdited(name) ? withService(state, name, { linked: 'older' }) : state),
    there,
  );
  const planReport: Omit<PlanReport, 'stackFiles'> = {
    plan: reconcile(desired, observed),
    drift: [],
    substitutes: [],
    absentImages: [],
    files: (['prometheus', 'alertmanager'] as const).flatMap((name) =>
      fileChanges(name, old && { files: old[name], revision: 'older', masked: masks(old[name]) }, {
        files: now[name],
        revision: 'newer',
      }),
    ),
    meaning: alertImpact(old === undefined ? [] : stackFiles(old), stackFiles(now)),
  };
  return printReport(planReport, createColors(false));
}

type Files = Readonly<Record<'prometheus' | 'alertmanager', readonly RenderedFile[]>>;

function files({ rules: text, routes: tree, secret }: Content): Files {
  const key = secret === undefined ? '' : `url: ${secret}\n`;
  const inlineSecret = new Secret(secret ?? '', 'a test');
  const config = file('alertmanager', 'alertmanager.yml', tree);
  return {
    prometheus: [file('prometheus', 'rules/user/a.yml', text)],
    alertmanager: [
      secret === undefined
        ? config
        : {
            ...config,
            content: new Secret(tree + key, 'a test'),
            masked: `${tree}url: [secret]\n`,
            secrets: [inlineSecret],
          },
    ],
  };
}

function file(service: string, path: string, content: string): RenderedFile {
  return { service, path, content, mode: 0o444, origin: 'a test' };
}

const withoutMask = ({ masked: _, secrets: __, ...rest }: RenderedFile): RenderedFile => rest;

const masks = (all: readonly RenderedFile[]): ReadonlyMap<string, string> =>
  new Map(all.flatMap(({ path, masked }) => (masked === undefined ? [] : [[path, masked] as const])));

const reveal = (all: readonly RenderedFile[] | undefined): unknown =>
  all?.map(({ content }) => (content instanceof Secret ? content.reveal() : content));

function stackFiles(all: Files) {
  return Object.entries(all).flatMap(([name, own]) => {
    const service = findService(name);
    return service === undefined ? [] : [{ service, files: own }];
  });
}
