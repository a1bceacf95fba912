import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { stackFolder } from '../support/stack-folder.ts';

const rules = `groups:
  - name: disk
    rules:
      - alert: DiskFull
        expr: up == 0
        labels: {severity: critical, team: storage}
        annotations: {summary: 'The disk of {{ $labels.instance }} is full'}
`;

/** A stack whose receiver has these texts and templates. */
function config(slack: Readonly<Record<string, unknown>>, more: Readonly<Record<string, unknown>> = {}) {
  return {
    prometheus: { rules: ['rules.yml'] },
    alertmanager: {
      route: { receiver: 'chat' },
      templates: ['house.tmpl'],
      receivers: [{ name: 'chat', slack_configs: [{ api_url: 'http://127.0.0.1:9', ...slack }], ...more }],
    },
  };
}

const house = `{{ define "house.title" }}{{ .CommonLabels.severity }}: {{ len .Alerts }}{{ end }}
{{ define "house.line" }}{{ .Labels.alertname }} {{ .Annotations.summary }}{{ end }}
{{ define "pagerduty.default.instances" }}{{ range . }}{{ .Labels.alertname }}{{ end }}{{ end }}
`;

describe('check', () => {
  it('must pass valid templates, and cache the result', async () => {
    await using stack = await stackFolder();
    await stack.write('rules.yml', rules);
    await stack.write('house.tmpl', house);
    await stack.configure(
      config({
        title: '{{ template "house.title" . }}',
        text: '{{ range .Alerts.Firing }}{{ template "house.line" . }}\n{{ end }}',
        fields: [{ title: '{{ .GroupLabels.alertname | toUpper }}', value: '{{ template "slack.default.text" . }}' }],
      }),
    );
    const { exitCode, stdout, stderr } = await stack.run('check');
    expect(exitCode, stderr).toBe(0);
    expect(stdout).toContain('are valid');
    expect(stderr).toContain('the templates of notifications');
    expect((await stack.run('check')).stderr).toMatch(
      /the templates of notifications.*cached: nothing has changed since it passed/,
    );
  });

  it('must report every template that would fail in an incident, at its position', async () => {
    await using stack = await stackFolder();
    await stack.write('rules.yml', rules);
    await stack.write('house.tmpl', `${house}{{ define "house.all" }}{{ .Alerts.Nope }}{{ end }}\n`);
    await stack.configure(
      config(
        {
          title: '{{ template "house.titel" . }}',
          text: 'first line\n{{ .Statuss }}\n',
          fallback: '{{ .Status | shout }}',
          footer: '{{ range . }}{{ .Labels }}{{ end }}',
          pretext: '{{ if .Status }}no end',
        },
        { email_configs: [{ to: 'a@b', from: 'c@d', smarthost: 'h:25', html: '<a href="{{ .ExternalUrl }}">' }] },
      ),
    );
    const { exitCode, stdout } = await stack.run('check', '--json');
    expect(exitCode).toBe(2);
    const { diagnostics } = JSON.parse(stdout) as {
      diagnostics: { message: string; file?: string; line: number }[];
    };
    const source = await readFile(join(stack.path, 'stack.yml'), 'utf8');
    const lines = source.split('\n');
    const reported = diagnostics.map(({ message, file, line }) => {
      const place = file === 'stack.yml' ? lines[line - 1]?.trim() : file && `${file}:${line}`;
      return `${place} => ${message}`;
    });
    expect(reported.sort()).toEqual([
      `fallback: "{{ .Status | shout }}" => amtool: in the fallback of slack_configs: function "shout" not defined`,
      `footer: "{{ range . }}{{ .Labels }}{{ end }}" => amtool: in the footer of slack_configs: at <.>: range can't iterate over a whole notification`,
      `house.tmpl:4 => amtool: at <.Alerts.Nope>: can't evaluate field Nope in type template.Alerts`,
      `html: <a href="{{ .ExternalUrl }}"> => amtool: in the html of email_configs: at <.ExternalUrl>: can't evaluate field ExternalUrl in type template.Data`,
      `pretext: "{{ if .Status }}no end" => amtool: in the pretext of slack_configs: unexpected EOF`,
      `text: | => amtool: in the text of slack_configs: at <.Statuss>: can't evaluate field Statuss in type template.Data`,
      `title: '{{ template "house.titel" . }}' => amtool: in the title of slack_configs: at <{{template "house.titel" .}}>: template "house.titel" not defined`,
    ]);
  });

  it('must report a template that fails only for some alerts', async () => {
    await using stack = await stackFolder();
    await stack.write('rules.yml', rules);
    await stack.write('house.tmpl', house);
    const broken = '{{ if eq .GroupLabels.alertname "DiskFull" }}{{ .Statuss }}{{ end }}';
    await stack.configure(config({ title: 'plain', text: broken }));
    const { exitCode, stderr } = await stack.run('check');
    expect(exitCode).toBe(2);
    expect(stderr).toContain("in the text of slack_configs: at <.Statuss>: can't evaluate field Statuss");
  });
});

/** Alerts with one annotation each, named by their order. */
function alertsWith(texts: readonly string[]): string {
  const rules = texts.map((text, at) => ({ alert: `A${at}`, expr: 'up', annotations: { summary: text } }));
  return stringify({ groups: [{ name: 'g', labels: { team: '{{ .Labels.team }}' }, rules }] }, { lineWidth: 0 });
}

describe('check of labels and annotations', () => {
  it('must refuse each that fails when Prometheus fills it in, at its place, and no other', async () => {
    const failing = {
      '{{ printf "%d" $value }}': 'becomes "%!d(float64=0)" when it is filled in',
      'first\nsecond {{ $labels.job | printf "%d" }}\n': 'becomes "first\\nsecond %!d(string=',
      '{{ printf "%.2f" }}': 'becomes "%!f(MISSING)" when it is filled in',
      '{{ reReplaceAll "(" "" $labels.instance }}': 'error calling reReplaceAll',
      '{{ query "up{" }}': 'error calling query: 1:4: parse error',
      '{{ if gt $value 100 }}much{{ end }}': 'incompatible types for comparison',
      '{{ if gt $value 1000000.0 }}{{ printf "%d" $value }}{{ end }}': 'becomes "%!d(float64=1.000001e+06)"',
      '{{ if eq $labels.severity "page" }}{{ .Nothing }}{{ end }}': "can't evaluate field Nothing",
      '{{ template "not-there" }}': 'template "not-there" not defined',
      '{{ printf "%!" $value }}': 'becomes "%!!(float64=0)',
      '{{ humanize "many" }}': 'strconv.ParseFloat: parsing "many"',
    };
    const working = [
      '{{ $labels.instance }} has {{ $value | humanize }} of {{ .Labels.size | humanize1024 }}',
      '{{ with query "up" }}{{ . | first | value }}{{ end }}{{ query "up" | first | value }}{{ index (query "up") 0 }}',
      '{{ $labels.window | parseDuration }} {{ $labels.at | humanizeTimestamp }} {{ slice $labels.pod 0 50 }}',
      '{{ externalURL }}{{ pathPrefix }} {{ $externalLabels.region }} {{ index $labels "a.b" | humanize }}',
      '100%!(sure) {{ $value | toTime }} \u{1F600} "quotes" \\ {{ `\\d` }}',
    ];
    await using stack = await stackFolder();
    await stack.write('failing.yml', alertsWith(Object.keys(failing)));
    await stack.write('working.yml', alertsWith(working));
    await stack.configure({ prometheus: { rules: ['failing.yml', 'working.yml'] } });
    const { exitCode, stdout } = await stack.run('check', '--json');
    expect(exitCode).toBe(2);
    const { diagnostics } = JSON.parse(stdout) as {
      diagnostics: { severity: string; message: string; file?: string; line: number }[];
    };
    const errors = diagnostics.filter(({ severity }) => severity === 'error');
    const lines = (await readFile(join(stack.path, 'failing.yml'), 'utf8')).split('\n');
    expect(errors.map(({ message }) => message)).toEqual(
      Object.values(failing).map((why, at) =>
        expect.stringMatching(
          `^promtool: the annotation summary of the alert A${at} .*${why.replaceAll(/[^\w ]/g, String.raw`\$&`)}`,
        ),
      ),
    );
    expect(errors.every(({ file, line }) => file === 'failing.yml' && /summary:/.test(lines[line - 1] ?? ''))).toBe(
      true,
    );
    await stack.configure({ prometheus: { rules: ['working.yml'] } });
    expect((await stack.run('check')).exitCode).toBe(0);
    expect((await stack.run('check')).stderr).toMatch(/the labels and annotations of alerts.*cached/);
  });

  it('must report a template that cannot be parsed once', async () => {
    await using stack = await stackFolder();
    await stack.write('rules.yml', alertsWith(['{{ printf "%d" $value }}', '{{ if }}']));
    await stack.configure({ prometheus: { rules: ['rules.yml'] } });
    const { exitCode, stderr } = await stack.run('check');
    expect(exitCode).toBe(2);
    expect(stderr).toContain('missing value for if');
    expect(stderr).toMatch(/^1 problem\b/m);
    expect(stderr).toMatch(
      /labels and annotations of alerts, with sample values: skipped, a template cannot be parsed/,
    );
  });
});

describe('reload', () => {
  it('must refuse a template that would fail, before Alertmanager loads it', async () => {
    await using stack = await stackFolder();
    await stack.write('rules.yml', rules);
    await stack.write('house.tmpl', house);
    await stack.configure(config({ title: '{{ template "house.title" . }}' }));
    const up = await stack.run('up');
    expect(up.exitCode, up.stderr).toBe(0);
    await stack.write('house.tmpl', house.replace('.CommonLabels', '.CommonLabel'));
    const { exitCode, stderr } = await stack.run('reload');
    expect(exitCode).toBe(2);
    expect(stderr).toContain("house.tmpl:1:1 amtool: at <.CommonLabel.severity>: can't evaluate field CommonLabel");
    const plan = await stack.run('plan', '--json');
    expect(JSON.parse(plan.stdout).changes).toContainEqual(
      expect.objectContaining({ service: 'alertmanager', action: 'reload' }),
    );
  });
});
