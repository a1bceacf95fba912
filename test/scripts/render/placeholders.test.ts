import { describe, expect, it } from 'vitest';
import { fillPlaceholders } from '../../../scripts/render/placeholders.ts';
import { configScope, withContributions } from '../../../scripts/render/scope.ts';
import { SourceMarkers } from '../../../scripts/render/source-markers.ts';
import { mayHavePlaceholders, parseTemplate } from '../../../scripts/render/yaml-template.ts';
import { stackSchema } from '../../../stack/config.ts';
import { Secret } from '../../../stack/secret.ts';
import { services } from '../../../stack/services.ts';

const config = stackSchema.parse({
  name: 'home',
  prometheus: {
    external_labels: { site: 'home', 'with space': '{{ $x }}' },
    scrape_configs: [
      { job_name: 'a', static_configs: [{ targets: ['a:1', 'b:2'] }] },
      { job_name: 'b', basic_auth: { password: new Secret("it's #1", '!env PASSWORD') } },
    ],
  },
});
const scope = withContributions(configScope(config, services), new Map([['nothing', []]]));

/** The rendered template with secrets masked; throws its diagnostics. */
function filled(text: string): string {
  const { text: full, problems } = fill(text);
  if (problems.length > 0) throw new Error(JSON.stringify(problems));
  return full;
}

/** The diagnostics of a template, as `line:column message (hint)`. */
function problemsIn(text: string): readonly string[] {
  return fill(text).problems;
}

function fill(text: string) {
  const template = parseTemplate(text, 'a.yml');
  const marks = new SourceMarkers();
  const problems = [...template.diagnostics, ...fillPlaceholders(template, scope, marks)];
  const isWhole = template.diagnostics.length === 0;
  const tree = isWhole ? template.document.toString({ lineWidth: 0, flowCollectionPadding: false }) : '';
  const { content, masked } = marks.finish(tree);
  return {
    text: masked ?? String(content),
    problems: problems.map(({ where, message, hint }) => `${where?.line}:${where?.column} ${message} (${hint})`),
  };
}

describe('!value', () => {
  it('must be replaced by a string, a number or a section', () => {
    expect(
      filled(`a: !value prometheus.scrape_interval
b: !value prometheus.port
c: !value prometheus.external_labels
d: [!value name, !value name]
e: {f: !value prometheus.external_labels}
`),
    ).toBe(`a: 15s
b: 9090
c:
  site: home
  with space: '{{ $x }}'
d: [home, home]
e: {f: {site: home, with space: '{{ $x }}'}}
`);
  });

  it('must be merged into a mapping whose own keys win, and leave other "<<" as they are', () => {
    expect(
      filled(`a:
  site: here
  # Further labels.
  <<: !value prometheus.external_labels
b: {<<: !value prometheus.external_labels}
c:
  # Nothing.
  <<: !value prometheus.storage
  d: 1
e:
  <<: !value grafana.config
f: {<<: {g: 1}}
`),
    ).toBe(`a:
  site: here
  # Further labels.
  with space: '{{ $x }}'
b: {site: home, with space: '{{ $x }}'}
c:
  d: 1
f: {<<: {g: 1}}
`);
    expect(problemsIn('a: {<<: !value prometheus.port}\nb: {<<: !value prometheus.prt}\n')).toEqual([
      '1:16 "<<" needs a mapping, but prometheus.port is not one (use it as the value of a key)',
      '2:16 there is no value named prometheus.prt (did you mean prometheus.port?)',
    ]);
  });

  it('must keep all comments, and move one after a section above it', () => {
    expect(
      filled(`# the file

# the section
section:
  # the interval
  interval: !value prometheus.scrape_interval # beside it
  labels: !value prometheus.external_labels # beside the labels
  # after all
last: 1

# the end
`),
    ).toBe(`# the file

# the section
section:
  # the interval
  interval: 15s # beside it
  labels:
    # beside the labels
    site: home
    with space: '{{ $x }}'
  # after all
last: 1

# the end
`);
  });

  it('must be removed with its key and comments when its value is not set', () => {
    expect(
      filled(`# about a and b

# about a
a: !value prometheus.scrape_timeout # beside a

# about b
b: 1
c:
  # about d
  d: !value prometheus.scrape_timeout
  # about e
  e: 2
f: !value prometheus.remote_write
g: [1, !value prometheus.scrape_timeout, 2]
h: {i: !value prometheus.scrape_timeout, j: 3}
k:
  # about k

  # about its first
  - !value prometheus.scrape_timeout
  # about its second
  - 4
`),
    ).toBe(`# about a and b

# about b
b: 1
c:
  # about e
  e: 2
g: [1, 2]
h: {j: 3}
k:
  # about k

  # about its second
  - 4
`);
  });

  it('must be removed with a section that becomes empty', () => {
    expect(
      filled(`a: 1
# about b
b:
  c:
    - d: !value prometheus.scrape_timeout
  e: !value prometheus.rules
f: {}
`),
    ).toBe(`a: 1
f: {}
`);
  });

  it('must prefer a computed value of a service to a key of stack.yml', () => {
    const routed = configScope(stackSchema.parse({ sink: { enabled: true } }), services);
    expect(routed.resolve('alertmanager.route')).toMatchObject({ kind: 'value', value: { receiver: 'sink' } });
  });

  it('must be expanded where an alias refers to it', () => {
    expect(filled('a: &one !value name\nb: *one\nc: &two !value prometheus.scrape_timeout\nd: [*two, *one]\n')).toBe(
      'a: home\nb: home\nd: [home]\n',
    );
  });

  it('must render an empty file when nothing is left', () => {
    expect(filled('# about it\n!value name\n')).toBe('# about it\nhome\n');
  });
});

describe('!spread', () => {
  it('must insert the items of a list at its position', () => {
    expect(
      filled(`a:
  # before
  - !spread prometheus.scrape_configs # beside
  # the middle
  - one: 1
  - !spread prometheus.scrape_configs
b:
  - - !spread prometheus.scrape_configs
c: [0, !spread prometheus.scrape_configs]
`),
    ).toBe(`a:
  # before
  # beside
  - job_name: a
    static_configs:
      - targets:
          - a:1
          - b:2
  - job_name: b
    basic_auth:
      password: '[secret]'
  # the middle
  - one: 1
  - job_name: a
    static_configs:
      - targets:
          - a:1
          - b:2
  - job_name: b
    basic_auth:
      password: '[secret]'
b:
  - - job_name: a
      static_configs:
        - targets:
            - a:1
            - b:2
    - job_name: b
      basic_auth:
        password: '[secret]'
c: [0, {job_name: a, static_configs: [{targets: [a:1, b:2]}]}, {job_name: b, basic_auth: {password: '[secret]'}}]
`);
  });

  it('must be removed when its list is empty', () => {
    expect(
      filled(`a:
  # yours
  - !spread prometheus.remote_write
  # ours
  - 1
b:
  - !spread contributed.nothing
c: [!spread prometheus.rules]
`),
    ).toBe(`a:
  # ours
  - 1
`);
  });
});

describe('text between placeholders', () => {
  it('must keep quotes, brackets, numbers and blank lines', () => {
    const text = `a: !value name
b: "double {{ $labels.x }} $1 \${1}"
c: 'single'

d: {e: [1, 0x10, 1.50, 12345678901234567890, 0012, 1e3, +5, 5., '7', "0x1F"], f: yes, g: ~, h: True, i: Null}
e: 0o17
f:
  - 1_000
  - .INF
h: |
  {{ range .Alerts }}
    $1
  {{ end }}
i: a very long line of plain text that no one may fold, because it would not be the line that someone wrote any more, {{ $x }}
`;
    expect(filled(text)).toBe(text.replace('!value name', 'home'));
  });
});

describe('an invalid template must be reported at its position', () => {
  it.each([
    [
      'a: !value prometheus.scrape_intervall\n',
      '1:11 there is no value named prometheus.scrape_intervall (did you mean prometheus.scrape_interval?)',
    ],
    [
      'a:\n  - !spread contributed.nothin\n',
      '2:13 there is no value named contributed.nothin (did you mean contributed.nothing?)',
    ],
    ['a: !value prometheus.port.x\n', '1:11 there is no value named prometheus.port.x (did you mean prometheus.port?)'],
    ['a: !value\n', expect.stringMatching(/^1:10 this placeholder has no name \(known names: .*\btimezone\b/)],
    ['a: !spread prometheus.rules\n', '1:12 !spread is not inside a list (write it as a list item: - !spread NAME)'],
    ['a: [!spread name]\n', '1:13 !spread needs a list, but name is not one (write it as !value name)'],
    ['? !value name\n: 1\n', '1:10 a placeholder cannot be a key (use it as a value: key: !value NAME)'],
    ['a: !vaule name\n', '1:4 unknown tag !vaule (the tags of templates are !value NAME and !spread NAME)'],
    ['a: !value [name]\n', '1:4 unknown tag !value (the tags of templates are !value NAME and !spread NAME)'],
    ['a: 1\n b: 2\n', expect.stringMatching(/^1:4 a key has either a value or keys/)],
  ])('%j', (text, expected) => {
    expect(problemsIn(text)).toEqual([expected]);
  });

  it('all at once', () => {
    expect(problemsIn('a: !value x\nb: !value y\n')).toHaveLength(2);
  });
});

describe('the quick test for placeholders', () => {
  it.each([
    'a: !value name\n',
    'a:   !value name\n',
    '!value name\n',
    '- !spread contributed.nothing\n',
    '  - - !value name\n',
    'a: [!value name]\n',
    'a: [1, !value name]\n',
    'a: [b, { c: !value name }]\n',
    'a: &anchor !value name\n',
    '? !value name\n: b\n',
    '"a": !value name # and why\n',
    '# not here: !value name\nb: !value name\n',
  ])('must find one in %j', (text) => {
    expect(mayHavePlaceholders(text)).toBe(true);
    expect(parseTemplate(text, 'a.yml').hasPlaceholders).toBe(true);
  });

  it.each([
    '# a: !value name\n',
    'a: |\n  it needs the entry "- !spread contributed.nothing"\n',
    'a: what a !value is\n',
  ])('must see none in %j', (text) => {
    expect(mayHavePlaceholders(text)).toBe(false);
    expect(parseTemplate(text, 'a.yml').hasPlaceholders).toBe(false);
  });
});
