import { expect, it } from 'vitest';
import { labelUses } from '../../../stack/lint/label-aggregated-away.ts';

it.each<[text: string, uses: readonly string[]]>([
  ['{{ $labels.a }} {{ index $labels "b c" }}', ['a=$labels.a', 'b c=index $labels "b c"']],
  ['{{ .Labels.a }} {{- $.Labels.b | toUpper -}}', ['a=.Labels.a', 'b=$.Labels.b']],
  ['{{ printf "%s .Labels.x" .Labels.a }}', ['a=.Labels.a']],
  ['{{ with $labels }}{{ .a }}{{ if .b }}{{ .c }}{{ end }}{{ end }}{{ .d }}', ['a=.a', 'b=.b', 'c=.c']],
  ['{{ with .Labels }}{{ .a }}{{ else }}{{ .Labels.b }}{{ end }}', ['a=.a', 'b=.Labels.b']],
  [
    '{{ if .Labels.a }}{{ .Labels.b }}{{ else }}{{ .Labels.c }}{{ end }}',
    ['a=.Labels.a', 'b=.Labels.b', 'c=.Labels.c'],
  ],
  ['{{ if true }}{{ else if true }}{{ .Labels.a }}{{ end }}{{ .Labels.b }}', ['b=.Labels.b']],
])('the labels in %s must be found with their positions', (text, uses) => {
  expect(labelUses(text).map(({ label, from, length }) => `${label}=${text.slice(from, from + length)}`)).toEqual(uses);
});

it.each([
  'see .Labels.a',
  '{{/* .Labels.a */}}',
  '{{ range query "up" }}{{ .Labels.a }}{{ end }}',
  '{{ with query "up" }}{{ .Labels.a }}{{ . | first | value }}{{ end }}',
  '{{ with $labels }}{{ range query "up" }}{{ .a }}{{ end }}{{ end }}',
  '{{ (query "up" | first).Labels.a }}{{ $x.Labels.a }}{{ .Value.Labels.a }}',
  '{{ define "x" }}{{ .Labels.a }}{{ end }}{{ template "x" 1 }}',
])('%s must have no certain labels', (text) => {
  expect(labelUses(text)).toEqual([]);
});
