import { describe, expect, test } from 'vitest';
import { templatesOfFiles } from '../../../stack/alertmanager/notification-templates.ts';
import type { RenderedFile } from '../../../stack/model.ts';

const file = (content: string): RenderedFile => ({
  service: 'alertmanager',
  path: 'templates/user/own.tmpl',
  content,
  mode: 0o444,
  origin: 'own.tmpl',
});

const named = (content: string, texts?: readonly string[]): readonly string[] =>
  templatesOfFiles([file(content)], texts).map(({ title, argument = '.' }) => `${title} ${argument}`);

describe('a template of a file', () => {
  test.each([
    ['pagerduty.default.instances', '{{ range . }}{{ .Labels }}{{ end }}', '.Alerts.Firing'],
    ['pagerduty.default.description', '{{ .Status }}', '.'],
    ['email.default.subject', '{{ .Status }}', '.'],
    ['msteamsv2.default.text', '{{ .Status }}', '.'],
  ])('%s must be filled in with what Alertmanager calls it with', (name, body, argument) => {
    expect(named(`{{ define "${name}" }}${body}{{ end }}`)).toEqual([`${name} ${argument}`]);
  });

  test('must be filled in when it uses what only a notification has', () => {
    expect(named('{{ define "house.title" }}{{ .CommonLabels.x }}{{ end }}')).toEqual(['house.title .']);
  });

  test.each([
    ['is only called with a part', '{{ define "house.default.line" }}{{ .Labels.x }}{{ end }}', []],
    [
      'has the name of a default but is called with a part',
      '{{ define "slack.default.text" }}{{ range . }}{{ .Labels.x }}{{ end }}{{ end }}',
      ['{{- template "slack.default.text" .Alerts.Firing -}}'],
    ],
    [
      'is called with a part by another template',
      '{{ define "a" }}{{ range .Alerts }}{{ end }}{{ end }}{{ define "b" }}{{ template "a" (dict "Alerts" 1) }}{{ end }}',
      [],
    ],
  ])('must be left to its callers when it %s', (_, content, texts) => {
    expect(named(content, texts)).toEqual([]);
  });

  test('must be filled in when it is called with the whole notification', () => {
    const content = '{{ define "slack.default.text" }}{{ .Status }}{{ end }}';
    expect(named(content, ['{{ template "slack.default.text" . }}', '{{template "slack.default.text" $}}'])).toEqual([
      'slack.default.text .',
    ]);
  });
});
