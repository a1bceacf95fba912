import { describe, expect, test } from 'vitest';
import type { Diagnostic } from '../../../stack/diagnostic.ts';
import { type ExpositionOptions, parseExposition } from '../../../stack/exposition/parse-exposition.ts';

describe('a body that can be pushed', () => {
  test('must be parsed to families with their samples', () => {
    const families = read(`
# HELP http_request_total Requests,\\nby path \\\\ code.
# TYPE http_request_total counter
http_request_total{code="200",path="/pay"} 12
  http_request_total { code = "500" , path = "a\\"b\\\\c\\n", }	2e1

# just a comment
request_error_number 99
`);
    expect(families).toEqual([
      {
        name: 'http_request_total',
        type: 'counter',
        help: 'Requests,\nby path \\ code.',
        samples: ['http_request_total{code=200,path=/pay} 12', 'http_request_total{code=500,path=a"b\\c\n} 20'],
      },
      { name: 'request_error_number', type: 'untyped', help: undefined, samples: ['request_error_number{} 99'] },
    ]);
  });

  test('must keep the parts of histograms and summaries together', () => {
    const families = read(`# TYPE h histogram
h_bucket{le="0.5"} 1
h_bucket{le="+Inf"} 2
h_sum 0.75
h_count 2
# TYPE s summary
s{quantile="0.9"} 3
s_sum 4
s_count 1
s_bucket 5
`);
    expect(families.map(({ name, type, samples }) => `${name} ${type} ${samples.length}`)).toEqual([
      'h histogram 4',
      's summary 3',
      's_bucket untyped 1',
    ]);
  });

  test('must read numbers like Go', () => {
    const words = ['+5', '1.', '.5', '-.5e+3', 'NaN', 'nAn', '+Inf', '-infinity', 'inf', '1e-999', '-0'];
    const families = read(words.map((word, at) => `m${at} ${word}\n`).join(''));
    expect(families.map(({ samples }) => samples[0]?.split(' ')[1])).toEqual([
      '5',
      '1',
      '0.5',
      '-500',
      'NaN',
      'NaN',
      'Infinity',
      '-Infinity',
      'Infinity',
      '0',
      '-0',
    ]);
  });

  test('must get a newline at its end', () => {
    expect(parseExposition('m 1')).toMatchObject({ ok: true, text: 'm 1\n' });
    expect(parseExposition('m 1\n')).toMatchObject({ ok: true, text: 'm 1\n' });
    expect(parseExposition('')).toMatchObject({ ok: true, text: '', value: [] });
  });

  test('may have UTF-8 metric names if the Pushgateway accepts them', () => {
    const text = '# TYPE "my.metric" gauge\n{"my.metric", "é\\n"="1"} 1\n';
    expect(read(text, { names: 'utf8' })[0]).toMatchObject({ name: 'my.metric', samples: ['my.metric{é\n=1} 1'] });
    expect(read('{"plain"} 1')[0]).toMatchObject({ name: 'plain' });
  });
});

describe('a body that cannot be pushed', () => {
  test('must have every invalid line reported, with line and column', () => {
    expect(problemsOf('good 1\n2bad 1\nm{a=b} 1\nm{a="b} 1\nm x\n')).toEqual([
      '2:1 metric-name: a metric name cannot start with "2" (put a letter or _ before the digit)',
      '3:5 label-value: the value of the label "a" must be in double quotes (write a="…")',
      '4:5 unclosed-quote: the label value has no closing quote on its line (write a line break inside quotes as \\n)',
      '5:3 value: "x" is not a number',
    ]);
  });

  const cases: readonly (readonly [body: string, ...problems: string[]])[] = [
    [
      'my-metric 1',
      '1:1 metric-name: a metric name cannot contain "-" (use only letters, digits, _ and :, with no digit at the start)',
    ],
    ['cpu-0', '1:1 glued-value: the space between the metric name and its value is missing'],
    ['\uFEFFm 1', '1:1 metric-name: the text starts with a byte order mark (save the file as UTF-8 without BOM)'],
    [
      'm 1\r\n\r\n',
      '1:3 value: "1\\r" is not a number (the line ends with CR LF; it must end with LF: run dos2unix on the file)',
      '2:1 metric-name: the line ends with CR LF (lines must end with LF: run dos2unix on the file)',
    ],
    ['m', '1:2 value: the value is missing'],
    ['m 1,5', '1:3 value: "1,5" is not a number (use a point as the decimal separator)'],
    ['m 0x10', '1:3 value: "0x10" is not a number (hexadecimal numbers are not supported: write it in decimal)'],
    ['m 1_000', '1:3 value: "1_000" is not a number (a number cannot contain _)'],
    ['m +NaN', '1:3 value: "+NaN" is not a number (NaN cannot have a sign)'],
    [
      'm 1e999',
      '1:3 value: "1e999" is not a number (it exceeds the largest float; write +Inf or -Inf if that is what you mean)',
    ],
    ['m "1"', '1:3 value: "\\"1\\"" is not a number (do not quote values)'],
    ['m 1 ', '1:4 trailing-blank: there is whitespace after the value (the line must end with the value)'],
    [
      'm 1 1395066363000',
      '1:5 timestamp: the Pushgateway rejects samples with a timestamp (remove it: the sample is kept until the next push, and push_time_seconds has the time of the push)',
    ],
    [
      'm 1 # {a="b"} 1',
      '1:5 trailing-text: there is text after the value (write a comment on its own line; exemplars are OpenMetrics, which the Pushgateway does not support)',
    ],
    ['m{a="1" b="2"} 1', '1:9 braces: expected "," or "}" after a label'],
    ['m{a="1"', '1:8 braces: expected "," or "}" after a label (write a sample on one line)'],
    ['m{', '1:3 braces: the labels have no closing "}" (write a sample on one line)'],
    ['m{,} 1', '1:3 label-name: a label name cannot start with ","'],
    [
      'm{a.b="1"} 1',
      '1:4 label-name: expected "=" after the label name "a" (use only letters, digits and _ in label names)',
    ],
    [
      'm{a="\\t"} 1',
      '1:6 escape: the label value has an invalid escape sequence (only \\\\, \\" and \\n are valid; write \\\\ for a backslash)',
    ],
    ['m{a="1",a="2"} 1', '1:9 repeated-label: the label a occurs twice in one sample'],
    [
      'm{__a="1"} 1',
      '1:3 reserved-label: the label __a is reserved: labels that start with __ are internal to Prometheus',
    ],
    [
      '{"my.metric"} 1',
      '1:2 utf8-name: this Pushgateway does not accept the metric name "my.metric" (use only letters, digits, _ and :, or start the Pushgateway with --push.enable-utf8-names)',
    ],
    [
      'm{"a b"="1"} 1',
      '1:3 label-name: "a b" is not a valid label name (use only letters, digits and _, or start the Pushgateway with --push.enable-utf8-names)',
    ],
    [
      '{a="b"} 1',
      '1:1 name-not-first: the metric name is missing before or at the start of these braces (write my_metric{…} 1 or {"my.metric", …} 1)',
    ],
    ['{m} 1', '1:2 quoting: a metric name inside braces must be quoted (write {"m"})'],
    ['"m" 1', '1:1 quoting: a quoted metric name must be inside the braces (write {"m"} and the value)'],
    ['m"n" 1', '1:1 quoting: only a part of the name is quoted (quote all or none of it)'],
    ['# TYPE m gauge ', '1:10 unknown-type: unknown metric type "gauge " (the line must end with the type)'],
    [
      '# TYPE m info',
      '1:10 unknown-type: unknown metric type "info" (that is an OpenMetrics type; use gauge or untyped)',
    ],
    [
      '# TYPE m number',
      '1:10 unknown-type: unknown metric type "number" (use counter, gauge, histogram, summary or untyped)',
    ],
    ['# TYPE m gau\\ge', '1:10 type-backslash: the type contains a backslash'],
    [
      '# HELP m a\\b',
      '1:11 escape: the help text has an invalid escape sequence (only \\\\, \\" and \\n are valid; write \\\\ for a backslash)',
    ],
    [
      'm 1\n# TYPE m gauge',
      '2:8 type-after-samples: the TYPE line of m comes after its first sample (move it before the samples)',
    ],
    [
      '# TYPE m gauge\n# TYPE m counter',
      '2:8 second-type: m already has a TYPE line, with the type gauge (write one TYPE line per metric)',
    ],
    ['# HELP m a\n# HELP m a', '2:8 second-help: m already has a HELP line (write one HELP line per metric)'],
    [
      '# TYPE m summary\n# TYPE m_count counter',
      '2:8 second-type: m_count is a part of the summary m, which already has a TYPE line (remove this line)',
    ],
    [
      'm{a="1",b="2"} 1\nm{b="2",a="1"} 2',
      '2:1 duplicate-series: m{b="2", a="1"} already has a value on line 1 (keep one of the two)',
    ],
    [
      'm 1\nm{instance=""} 2',
      '2:1 duplicate-series: with the labels of the group, this is the same series as the one on line 1 (labels of the group override labels of the same name, and an empty instance counts as absent)',
    ],
    [
      'm_count 1\n# TYPE m summary\nm_sum 1',
      '1:1 name-collision: m_count is also the name of a part of the summary m (move the TYPE line of m before it if it is that part, or rename it)',
    ],
    [
      '# TYPE m histogram\nm 1',
      '2:1 lost-sample: m is a histogram: its samples end with _bucket, _sum or _count (add the suffix, or change the type)',
    ],
    ['# TYPE m histogram\nm_bucket 1', '2:1 lost-sample: a bucket needs an upper bound (write le="0.5" or le="+Inf")'],
    ['# TYPE m histogram\nm_count{le="1"} 1', '2:9 lost-sample: m_count must not have the label le (remove le)'],
    ['# TYPE m histogram\nm_bucket{le="x"} 1', '2:10 bound-not-a-number: le="x" is not a number'],
    ['# TYPE m histogram\nm_bucket{le="1"} -1', '2:18 negative-bucket: m_bucket is a count, so it cannot be below 0'],
    [
      '# TYPE m histogram\nm_bucket{le="1"} 1\nm_bucket{le="1.0"} 1',
      '3:1 repeated-part: the bucket 1 of m occurs twice',
    ],
    [
      '# TYPE m summary\nm 1',
      '2:1 lost-sample: m is a summary: its samples need a quantile, or end with _sum or _count (write quantile="0.99", or change the type)',
    ],
    ['# TYPE m summary\nm_count 1.5', '2:9 summary-count: the count of a summary must be a whole number of at least 0'],
    [
      '# TYPE m summary\n# TYPE n gauge\n{"m_count"} 1',
      '3:2 scattered-family: the lines of the summary m are not consecutive (move this line up: the Pushgateway confuses a quoted histogram or summary with the metric of the previous line)',
    ],
  ];
  test.each(cases)('%j', (body, ...problems) => {
    expect(problemsOf(body)).toEqual(problems);
  });

  test('must be checked with the labels of its group', () => {
    const body = 'm{job="a"} 1\nm{job="b"} 2\n';
    expect(problemsOf(body)).toEqual([]);
    expect(problemsOf(body, { group: new Map([['job', 'c']]) })).toEqual([
      '2:1 duplicate-series: with the labels of the group, this is the same series as the one on line 1 (labels of the group override labels of the same name, and an empty instance counts as absent)',
    ]);
    const summary = '# TYPE s summary\ns_sum 1\n';
    expect(problemsOf(summary, { group: new Map([['quantile', '1']]) })).toEqual([
      '1:8 reserved-label: the summary s cannot be pushed to a group with the label quantile',
    ]);
  });
});

describe('a body that can be pushed but is probably a mistake', () => {
  const cases: readonly (readonly [body: string, warning: string])[] = [
    [
      'push_time_seconds 1',
      '1:1 own-name: the Pushgateway sets push_time_seconds itself and does not store pushed values of it',
    ],
    [
      'm{a="1"} 1\nm{b="1"} 1',
      '2:1 inconsistent-labels: m has different label names here than on line 1 (use the same label names for all samples of a metric)',
    ],
    [
      'm{job="a"} 1',
      '1:1 overwritten-label: job="backup" of the group overrides job="a" (push the sample to another group, or rename the label)',
    ],
    [
      'm{a="",b="1"} 1\nm{b="1",c=""} 1',
      '2:1 empty-label: to Prometheus this is the same series as the one on line 1 (Prometheus treats a label with an empty value as absent)',
    ],
    ['# TYPE m counter\nm -1', '2:1 counter-value: the counter m is -1'],
    [
      '# TYPE m histogram\nm_bucket{le="2"} 1\nm_bucket{le="1"} 2\nm_count 1',
      '2:1 histogram-shape: the bucket le="2" of m is less than the previous one (buckets are cumulative)',
    ],
    [
      '# TYPE m histogram\nm_bucket{le="2"} 1',
      '2:1 histogram-shape: the histogram m has no m_count, so its count is 0',
    ],
    [
      '# TYPE m histogram\nm_bucket{le="+Inf"} 1\nm_count 2',
      '3:1 histogram-shape: m_count differs from the bucket le="+Inf"',
    ],
  ];
  test.each(cases)('%j', (body, warning) => {
    const read = parseExposition(body, { group: new Map([['job', 'backup']]) });
    expect(read.ok ? read.warnings.map(say) : read.error.map(say)).toContain(warning);
  });
});

function read(text: string, options?: ExpositionOptions) {
  const exposition = parseExposition(text, options);
  if (!exposition.ok) throw new Error(exposition.error.map(say).join('\n'));
  return exposition.value.map(({ name, type, help, samples }) => ({
    name,
    type,
    help,
    samples: samples.map((sample) => {
      const labels = [...sample.labels].map(([label, value]) => `${label}=${value}`);
      return `${sample.name}{${labels.join(',')}} ${Object.is(sample.value, -0) ? '-0' : sample.value}`;
    }),
  }));
}

function problemsOf(text: string, options?: ExpositionOptions): readonly string[] {
  const exposition = parseExposition(text, options);
  return exposition.ok ? [] : exposition.error.map(say);
}

function say({ code, message, hint, where }: Diagnostic): string {
  return `${where?.line}:${where?.column} ${code}: ${message}${hint === undefined ? '' : ` (${hint})`}`;
}
