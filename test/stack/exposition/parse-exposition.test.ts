import { describe, expect, test } from 'vitest';
import type { Diagnostic } from '../../../stack/diagnostic.ts';
import { type ExpositionOptions, parseExposition } from '../../../stack/exposition/parse-exposition.ts';

describe('a body that can be pushed', () => {
  test('must come out as families with their samples', () => {
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

  test('must keep numbers as Go reads them', () => {
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

  test('must have its last line ended', () => {
    expect(parseExposition('m 1')).toMatchObject({ ok: true, text: 'm 1\n' });
    expect(parseExposition('m 1\n')).toMatchObject({ ok: true, text: 'm 1\n' });
    expect(parseExposition('')).toMatchObject({ ok: true, text: '', value: [] });
  });

  test('may name its metrics in any words where the Pushgateway takes them', () => {
    const text = '# TYPE "my.metric" gauge\n{"my.metric", "é\\n"="1"} 1\n';
    expect(read(text, { names: 'utf8' })[0]).toMatchObject({ name: 'my.metric', samples: ['my.metric{é\n=1} 1'] });
    expect(read('{"plain"} 1')[0]).toMatchObject({ name: 'plain' });
  });
});

describe('a body that cannot be pushed', () => {
  test('must be told of every wrong line, with line and column', () => {
    expect(problemsOf('good 1\n2bad 1\nm{a=b} 1\nm{a="b} 1\nm x\n')).toEqual([
      '2:1 metric-name: a metric name cannot begin with "2" (put a letter or _ before the digit)',
      '3:5 label-value: the value of the label "a" has to stand in double quotes (write a="…")',
      '4:5 unclosed-quote: the label value has no closing quote on its line (a line break inside quotes is written \\n)',
      '5:3 value: "x" is not a number',
    ]);
  });

  const cases: readonly (readonly [body: string, ...problems: string[]])[] = [
    [
      'my-metric 1',
      '1:1 metric-name: a metric name cannot hold "-" (letters, digits, _ and : only, not beginning with a digit)',
    ],
    ['cpu-0', '1:1 glued-value: there is no blank between the metric name and its value'],
    ['\uFEFFm 1', '1:1 metric-name: the text begins with a byte order mark (save the file as UTF-8 without BOM)'],
    [
      'm 1\r\n\r\n',
      '1:3 value: "1\\r" is not a number (the line ends in CR LF; only LF may end it: dos2unix mends the file)',
      '2:1 metric-name: the line ends in CR LF (only LF ends a line here: dos2unix mends the file)',
    ],
    ['m', '1:2 value: the value is missing'],
    ['m 1,5', '1:3 value: "1,5" is not a number (the decimal sign is a point)'],
    ['m 0x10', '1:3 value: "0x10" is not a number (hexadecimal numbers are not taken: write it in decimal)'],
    ['m 1_000', '1:3 value: "1_000" is not a number (a number has no _ in it)'],
    ['m +NaN', '1:3 value: "+NaN" is not a number (NaN takes no sign)'],
    [
      'm 1e999',
      '1:3 value: "1e999" is not a number (it is beyond the largest float; write +Inf or -Inf if that is meant)',
    ],
    ['m "1"', '1:3 value: "\\"1\\"" is not a number (a value is not quoted)'],
    ['m 1 ', '1:4 trailing-blank: blanks follow the value (the line must end with the value)'],
    [
      'm 1 1395066363000',
      '1:5 timestamp: the Pushgateway refuses samples with a timestamp (leave it out: the sample is kept until it is replaced, and push_time_seconds says when it came)',
    ],
    [
      'm 1 # {a="b"} 1',
      '1:5 trailing-text: text follows the value (a comment stands on a line of its own, and exemplars are OpenMetrics, which is not taken here)',
    ],
    ['m{a="1" b="2"} 1', '1:9 braces: "," or "}" is expected after a label'],
    ['m{a="1"', '1:8 braces: "," or "}" is expected after a label (a sample stands on one line)'],
    ['m{', '1:3 braces: the labels have no closing "}" (a sample stands on one line)'],
    ['m{,} 1', '1:3 label-name: a label name cannot begin with ","'],
    [
      'm{a.b="1"} 1',
      '1:4 label-name: "=" is expected after the label name "a" (a label name holds letters, digits and _ only)',
    ],
    [
      'm{a="\\t"} 1',
      '1:6 escape: the label value has a backslash that escapes nothing (only \\\\, \\" and \\n are escapes; write \\\\ for a backslash)',
    ],
    ['m{a="1",a="2"} 1', '1:9 repeated-label: the label a stands twice in one sample'],
    ['m{__a="1"} 1', '1:3 reserved-label: labels that begin with __ such as __a belong to Prometheus itself'],
    [
      '{"my.metric"} 1',
      '1:2 utf8-name: this Pushgateway takes no metric name such as "my.metric" (letters, digits, _ and : only, or start the Pushgateway with --push.enable-utf8-names)',
    ],
    [
      'm{"a b"="1"} 1',
      '1:3 label-name: no label can be called "a b" (letters, digits and _ only, or start the Pushgateway with --push.enable-utf8-names)',
    ],
    [
      '{a="b"} 1',
      '1:1 name-not-first: there is no metric name before these braces nor first inside them (write my_metric{…} 1 or {"my.metric", …} 1)',
    ],
    ['{m} 1', '1:2 quoting: inside braces a metric name has to be quoted (write {"m"})'],
    ['"m" 1', '1:1 quoting: a quoted metric name belongs inside the braces (write {"m"} and the value)'],
    ['m"n" 1', '1:1 quoting: a name is quoted as a whole or not at all'],
    ['# TYPE m gauge ', '1:10 unknown-type: there is no metric type "gauge " (nothing may follow it, blanks neither)'],
    [
      '# TYPE m info',
      '1:10 unknown-type: there is no metric type "info" (that is OpenMetrics; here it is gauge or untyped)',
    ],
    [
      '# TYPE m number',
      '1:10 unknown-type: there is no metric type "number" (one of counter, gauge, histogram, summary, untyped)',
    ],
    ['# TYPE m gau\\ge', '1:10 type-backslash: a backslash stands in the type'],
    [
      '# HELP m a\\b',
      '1:11 escape: the help text has a backslash that escapes nothing (only \\\\, \\" and \\n are escapes; write \\\\ for a backslash)',
    ],
    [
      'm 1\n# TYPE m gauge',
      '2:8 type-after-samples: the type of m is told after its first sample (put the TYPE line before the samples)',
    ],
    [
      '# TYPE m gauge\n# TYPE m counter',
      '2:8 second-type: m has a TYPE line already, which says gauge (one TYPE line for each metric)',
    ],
    ['# HELP m a\n# HELP m a', '2:8 second-help: m has a HELP line already (one HELP line for each metric)'],
    [
      '# TYPE m summary\n# TYPE m_count counter',
      '2:8 second-type: m_count is a part of the summary m, which has its TYPE line already (leave this line out)',
    ],
    [
      'm{a="1",b="2"} 1\nm{b="2",a="1"} 2',
      '2:1 duplicate-series: m{b="2", a="1"} has a value on line 1 already (keep one of the two)',
    ],
    [
      'm 1\nm{instance=""} 2',
      '2:1 duplicate-series: with the labels of the group, this is the same series as the one on line 1 (labels of the group replace labels of the same name; an empty instance is none)',
    ],
    [
      'm_count 1\n# TYPE m summary\nm_sum 1',
      '1:1 name-collision: m_count is also the name of a part of the summary m (put the TYPE line of m before it if it is that part, or rename it)',
    ],
    [
      '# TYPE m histogram\nm 1',
      '2:1 lost-sample: m is a histogram: its samples end in _bucket, _sum or _count (add the ending, or say another type)',
    ],
    ['# TYPE m histogram\nm_bucket 1', '2:1 lost-sample: a bucket needs its upper bound (write le="0.5" or le="+Inf")'],
    ['# TYPE m histogram\nm_count{le="1"} 1', '2:9 lost-sample: the _count has no le (leave le out)'],
    ['# TYPE m histogram\nm_bucket{le="x"} 1', '2:10 bound: le="x" is not a number'],
    ['# TYPE m histogram\nm_bucket{le="1"} -1', '2:18 negative-bucket: m_bucket counts, so it cannot be below 0'],
    [
      '# TYPE m histogram\nm_bucket{le="1"} 1\nm_bucket{le="1.0"} 1',
      '3:1 repeated-part: the bucket 1 of m stands here a second time',
    ],
    [
      '# TYPE m summary\nm 1',
      '2:1 lost-sample: m is a summary: its samples need a quantile, or end in _sum or _count (write quantile="0.99", or say another type)',
    ],
    ['# TYPE m summary\nm_count 1.5', '2:9 summary-count: the count of a summary is a whole number from 0 up'],
    [
      '# TYPE m summary\n# TYPE n gauge\n{"m_count"} 1',
      '3:2 scattered-family: the lines of the summary m do not stand together (the Pushgateway mixes a quoted histogram or summary up with the metric of the line before; move this line up)',
    ],
  ];
  test.each(cases)('%j', (body, ...problems) => {
    expect(problemsOf(body)).toEqual(problems);
  });

  test('must be judged with the labels of its group', () => {
    const body = 'm{job="a"} 1\nm{job="b"} 2\n';
    expect(problemsOf(body)).toEqual([]);
    expect(problemsOf(body, { group: new Map([['job', 'c']]) })).toEqual([
      '2:1 duplicate-series: with the labels of the group, this is the same series as the one on line 1 (labels of the group replace labels of the same name; an empty instance is none)',
    ]);
    const summary = '# TYPE s summary\ns_sum 1\n';
    expect(problemsOf(summary, { group: new Map([['quantile', '1']]) })).toEqual([
      '1:8 reserved-label: a summary such as s cannot be pushed to a group with a label quantile',
    ]);
  });
});

describe('a body that can be pushed but is hardly meant', () => {
  const cases: readonly (readonly [body: string, warning: string])[] = [
    [
      'push_time_seconds 1',
      '1:1 own-name: the Pushgateway sets push_time_seconds itself; what is pushed under this name is not kept',
    ],
    [
      'm{a="1"} 1\nm{b="1"} 1',
      '2:1 inconsistent-labels: m has other label names here than on line 1 (give all samples of a metric the same label names)',
    ],
    [
      'm{job="a"} 1',
      '1:1 overwritten-label: job="a" gives way to job="backup" of the group (push it to a group of its own, or call the label otherwise)',
    ],
    [
      'm{a="",b="1"} 1\nm{b="1",c=""} 1',
      '2:1 empty-label: to Prometheus this is the same series as the one on line 1 (a label with an empty value counts as absent there)',
    ],
    ['# TYPE m counter\nm -1', '2:1 counter-value: the counter m is -1'],
    [
      '# TYPE m histogram\nm_bucket{le="2"} 1\nm_bucket{le="1"} 2\nm_count 1',
      '2:1 histogram-shape: the bucket le="2" of m holds less than the one below it (buckets are cumulative)',
    ],
    [
      '# TYPE m histogram\nm_bucket{le="2"} 1',
      '2:1 histogram-shape: the histogram m has no m_count, so it counts as 0',
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
