import { describe, expect, test } from 'vitest';
import { type Files, importedFrom } from '../../support/imported.ts';

const prometheus = `global:
  scrape_interval: 15s
  evaluation_interval: 15s
  external_labels:
    site: lab
    zone: b
  query_log_file: /prometheus/q
rule_files:
  - a.yml
  - b.yml
alerting:
  alert_relabel_configs:
    - action: labeldrop
      regex: replica
  alertmanagers:
    - static_configs:
        - targets:
            - other:9093
scrape_configs:
  - job_name: a
    metrics_path: /m
    static_configs:
      - targets: ["a:1", "a:2"]
        labels: {x: y, z: w}
    relabel_configs:
      - source_labels:
          - __address__
        target_label: instance
    authorization:
      credentials: planted-token
  - job_name: self
    static_configs:
      - targets:
          - localhost:9090
      - targets: ["localhost:9090", "b:1"]
        labels:
          site: home
  - job_name: flow
    static_configs: [{targets: ["b:1"]}]
    params: {
      m: [
        one,
        two
      ],
      n: [three]
    }
remote_write:
  - url: http://store:9009/push
    basic_auth:
      username: u
      password_file: password
    queue_config:
      capacity: 100
storage:
  tsdb:
    out_of_order_time_window: 5m
`;
const alertmanager = `global:
  resolve_timeout: 5m
  smtp_smarthost: mail:25
  smtp_from: a@b.example
  slack_api_url: https://hooks.example.com/planted
templates:
  - t.tmpl
route:
  receiver: a
  group_by: [alertname, job]
  routes:
    - receiver: b
      matchers:
        - severity="page"
        - team="a"
    - receiver: a
      continue: true
inhibit_rules:
  - source_matchers: [a="b"]
    target_matchers: [c="d"]
    equal:
      - job
receivers:
  - name: a
    webhook_configs:
      - url: http://hook:1/
  - name: b
    email_configs:
      - to: x@y.example
time_intervals:
  - name: night
    time_intervals:
      - times:
          - start_time: '01:00'
            end_time: '02:00'
`;
const datasources = `apiVersion: 1
datasources:
  - name: Loki
    type: loki
    uid: loki
    url: http://loki:3100
    jsonData:
      maxLines: 100
      derivedFields:
        - name: trace
          matcherRegex: t
    secureJsonData:
      basicAuthPassword: planted-password
  - name: Other
    type: prometheus
    uid: other
    url: http://other:9090
`;
const rules = (name: string): string => `groups: [{name: ${name}, rules: [{record: a:b, expr: up}]}]\n`;
const others: Files = {
  'a.yml': rules('a'),
  'b.yml': rules('b'),
  't.tmpl': '{{ define "x" }}{{ end }}',
  password: 'planted-other\n',
};

/** Where the lines of a config are in stack.yml when they are not the same there. */
const renamed: Readonly<Record<string, string>> = {
  'rule_files:': 'rules:',
  'a.yml': 'rules/a.yml',
  'b.yml': 'rules/b.yml',
  't.tmpl': 'notifications/t.tmpl',
  'localhost:9090': 'prometheus:9090',
  'targets: [localhost:9090, b:1]': 'targets: [b:1]',
};

interface Case {
  readonly config: string;
  /** Lines that stack.yml does not have, and the next one that it has. */
  readonly gone?: Readonly<Record<string, string>>;
}

const cases: Readonly<Record<string, Case>> = {
  'prometheus.yml': { config: prometheus, gone: { 'global:': 'scrape_interval: 15s' } },
  'alertmanager.yml': { config: alertmanager },
  'datasources.yml': { config: datasources, gone: { 'apiVersion: 1': 'name: Loki', 'datasources:': 'name: Loki' } },
};

const isComment = (line: string): boolean => line.trim().startsWith('#');

/** A line that has no more than the end of a flow collection. */
const isEnd = (line: string): boolean => /^[\s\]},]+(?:#.*)?$/.test(line);

/** What a line says, without its comment, in its place in a list or not, in any form of a flow collection. */
function meaningOf(line: string | undefined, gone: Case['gone'] = {}): string {
  const text = (line ?? '').replace(/(?:^| +)#.*$/, '').replace(/^[ -]*/, '');
  const plain = text.replaceAll(/['"]/g, '').replace(/[,\s{[]+$/, '');
  const secret = /^(credentials|password|password_file|slack_api_url|basicAuthPassword):/.exec(plain)?.[1];
  return secret === undefined ? (renamed[plain] ?? gone[plain] ?? plain) : secret.replace('_file', '');
}

/** Where a comment is. */
interface Place {
  /** What it is beside, for a comment at the end of a line. */
  readonly beside?: string;
  /** What is above and below a comment on a line of its own. */
  readonly between?: readonly [above: string, below: string];
  /** Whether a flow collection ends below. */
  readonly isAtEnd?: boolean;
}

/** The places of comments, by their texts. */
function placesIn(text: string, gone: Case['gone'] = {}): ReadonlyMap<string, Place> {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  return new Map(
    lines.flatMap((line, index): readonly (readonly [string, Place])[] => {
      const [comment] = /#c\d+/.exec(line) ?? [];
      if (comment === undefined) return [];
      const isOther = (other: string): boolean => !isComment(other) && !isEnd(other);
      const [above, below] = [lines.slice(0, index).findLast(isOther), lines.slice(index + 1).find(isOther)];
      const opens = /[[{] #/.test(line) || Object.hasOwn(gone, line.replace(/ #.*$/, ''));
      if (!isComment(line) && !opens) return [[comment, { beside: meaningOf(isEnd(line) ? above : line) }]];
      const isAtEnd = isEnd(lines.slice(index + 1).find((other) => !isComment(other)) ?? '');
      return [[comment, { between: [meaningOf(opens ? line : above), meaningOf(below, gone)], isAtEnd }]];
    }),
  );
}

const depthOf = (line = ''): number => line.length - line.trimStart().length;

/** Comments at one kind of place of every line. */
const forms: Readonly<Record<string, (lines: readonly string[]) => readonly string[]>> = {
  'at the end of each line': (lines) => lines.map((line, at) => `${line} #c${at}`),
  'before each line': (lines) => lines.flatMap((line, at) => [`${' '.repeat(depthOf(line))}#c${at}`, line]),
  'after each line, as deep as it': (lines) =>
    lines.flatMap((line, at) => [line, `${' '.repeat(depthOf(line))}#c${at}`]),
  'after each line, deeper': (lines) => lines.flatMap((line, at) => [line, `${' '.repeat(depthOf(line) + 2)}#c${at}`]),
};

describe.each(Object.entries(cases))('comments of %s', (name, { config, gone }) => {
  test.each(Object.keys(forms))('must stay where they are: %s', async (form) => {
    const input = `${(forms[form] ?? expect.fail())(config.trimEnd().split('\n')).join('\n')}\n`;
    const { text, errors } = await importedFrom({ ...others, [name]: input });
    expect(errors).toEqual([]);
    const after = placesIn(text);
    const moved = [...placesIn(input, gone)].flatMap(([comment, before]) => {
      const now = after.get(comment);
      const [above, below] = before.between ?? [];
      const isAbove = above === now?.between?.[0] || (before.isAtEnd === true && above === now?.beside);
      const isSame =
        before.beside === undefined ? isAbove || now?.between?.[1] === below : before.beside === now?.beside;
      return isSame ? [] : [{ comment, before, now }];
    });
    expect(moved).toEqual([]);
  });
});

test('comments of a compose file and of the job of an exporter must go with what they are about', async () => {
  const { text } = await importedFrom({
    'compose.yaml': `services:
  prom:
    # the last one
    image: prom/prometheus:v3.5.3 # pinned
    command: # flags
      - --config.file=/etc/prometheus/prometheus.yml
      # a year
      - --storage.tsdb.retention.time=1y # or more
      # for quantiles
      - --enable-feature=promql-experimental-functions
    # for all
    mem_limit: 512m # of 2 GB
    volumes: ['.:/etc/prometheus']
  node:
    image: quay.io/prometheus/node-exporter:v1.9.1 # the same
`,
    'prometheus.yml': `scrape_configs:
  # the host
  - job_name: node
    # fast
    scrape_interval: 5s # or 10
    static_configs:
      - targets: [node:9100] # alone
  # the app
  - job_name: b
    static_configs: [{targets: [b:1]}]
`,
  });
  for (const part of [
    '  # the last one\n  image: prom/prometheus:v3.5.3 # pinned\n',
    '    # a year\n    time: 1y # or more\n',
    '    # for quantiles\n    - --enable-feature=promql-experimental-functions\n',
    '    # for all\n    memory: 512m # of 2 GB\n',
    '  # the host\n  # alone\n  node:\n    image: quay.io/prometheus/node-exporter:v1.9.1 # the same\n',
    '      # fast\n      scrape_interval: 5s # or 10\n',
    '    # the app\n    - job_name: b\n',
  ]) {
    expect(text).toContain(part);
  }
});

test('a comment that begins left of a list must be about what follows it', async () => {
  const { text } = await importedFrom({
    ...others,
    'prometheus.yml': `rule_files:
  - a.yml
  # - "first.yml"

# Of this host:
# two jobs.
scrape_configs:
  - job_name: a
    static_configs:
      - targets: ['a:1']
        # labels: {x: y}
    # honor_labels: true
  # The other.
  - job_name: b
    static_configs:
      - targets: ['b:1']
        # later
  # - job_name: c
# The end.
`,
  });
  for (const part of [
    '    - rules/a.yml\n    # - "first.yml"\n\n  # Of this host:\n  # two jobs.\n  scrape_configs:\n',
    "        - targets: ['a:1']\n          # labels: {x: y}\n      # honor_labels: true\n    # The other.\n    - job_name: b\n",
    "        - targets: ['b:1']\n          # later\n    # - job_name: c\n  # The end.\n",
  ]) {
    expect(text).toContain(part);
  }
});
