import fc from 'fast-check';
import { unreachable } from '../../scripts/util/unreachable.ts';

/** Bodies of pushes, right and wrong in every way that was thought of; small choices, so that names meet often. */
export function bodies(): fc.Arbitrary<string> {
  return fc.oneof(
    { weight: 3, arbitrary: fc.array(familyText(), { minLength: 1, maxLength: 3 }).map((parts) => parts.join('')) },
    { weight: 3, arbitrary: fc.tuple(fc.array(familyText(), { minLength: 1, maxLength: 3 }), mutations()).map(mutate) },
    { weight: 1, arbitrary: fc.array(anyLine(), { maxLength: 6 }).map((lines) => lines.join('\n')) },
  );
}

function familyText(): fc.Arbitrary<string> {
  return fc.oneof(plainFamily(), plainFamily(), histogram(), summary());
}

const names = fc.constantFrom('a', 'b', 'a_count', 'a_sum', 'a_bucket', 'b_total', 'x:y', '_z', 'labels');
const oddNames = fc.constantFrom('{"a"', '{"b"', '{"b_count"', '{"my.metric"', '{"é\\n\\"\\\\"');
const labelNames = fc.oneof(
  { weight: 9, arbitrary: fc.constantFrom('x', 'y', 'X1', 'job', 'instance', '"x"') },
  fc.constantFrom('le', 'quantile', '"x.y"'),
);
const labelValues = fc.constantFrom(
  '',
  '1',
  '0.5',
  '+Inf',
  'NaN',
  'a b',
  'é',
  '\\n',
  '\\"',
  '\\\\',
  't',
  '}',
  ',',
  '#',
);
const numbers = fc.constantFrom(
  ...['0', '1', '-1', '+5', '1.', '.5', '-.5e+3', '1e3', '1E-2', 'NaN', 'nan', 'Inf', '+inf', '-INFINITY', '1e-999'],
  ...['00', '12345678901234567890', '-0', '1e300', '3.0'],
);
const oddNumbers = fc.constantFrom(
  ...[
    '',
    '1e999',
    '0x1p-2',
    '0x10',
    '1_000',
    '+NaN',
    'infi',
    '.',
    '+',
    '1e',
    '1,5',
    '"1"',
    '1 1',
    '1 -5',
    '1 x',
    '1 # {} 1',
  ],
);
const types = fc.constantFrom('counter', 'gauge', 'untyped', 'GAUGE');
const allTypes = fc.constantFrom(
  'counter',
  'gauge',
  'untyped',
  'summary',
  'histogram',
  'gaugehistogram',
  'gauge_histogram',
);
const blanks = fc.constantFrom(' ', ' ', ' ', '  ', '\t');

function labelSet(): fc.Arbitrary<readonly string[]> {
  return fc
    .uniqueArray(fc.tuple(labelNames, labelValues), { maxLength: 3, selector: ([name]) => name.replaceAll('"', '') })
    .map((pairs) => pairs.map(([name, value]) => `${name}="${value}"`));
}

function sample(name: string, labels: readonly string[], value: string, blank = ' '): string {
  if (name.startsWith('{')) return `${[name, ...labels].join(',')}}${blank}${value}\n`;
  return `${name}${labels.length === 0 ? '' : `{${labels.join(`,${blank}`)}}`}${blank}${value}\n`;
}

function head(name: string, type: string | undefined, help: boolean): string {
  const bare = name.startsWith('{') ? name.slice(1) : name;
  return `${help ? `# HELP ${bare} what it \\\\ is\n` : ''}${type === undefined ? '' : `# TYPE ${bare} ${type}\n`}`;
}

function plainFamily(): fc.Arbitrary<string> {
  const samples = fc.array(fc.tuple(labelSet(), numbers, blanks), { minLength: 1, maxLength: 3 });
  return fc
    .tuple(
      fc.oneof({ weight: 9, arbitrary: names }, oddNames),
      fc.option(types, { nil: undefined }),
      fc.boolean(),
      samples,
    )
    .map(([name, type, help, all]) => {
      return head(name, type, help) + all.map(([labels, value, blank]) => sample(name, labels, value, blank)).join('');
    });
}

function histogram(): fc.Arbitrary<string> {
  const counts = fc.constantFrom('0', '1', '5', '7', '0.5', 'NaN', '+Inf', '1e30', '-1');
  const bounds = fc.uniqueArray(
    fc.oneof({ weight: 9, arbitrary: fc.constantFrom('0.1', '1', '+Inf') }, fc.constantFrom('NaN', 'x')),
    { maxLength: 3 },
  );
  const type = fc.constantFrom('histogram', 'gaugehistogram');
  return fc
    .tuple(fc.constantFrom('a', 'b', 'c', '{"a', '{"h.i'), type, labelSet(), bounds, counts, fc.boolean())
    .map(([name, kind, labels, les, count, help]) => {
      const part = (suffix: string) => (name.startsWith('{') ? `${name}${suffix}"` : `${name}${suffix}`);
      const others = labels.filter((label) => !label.startsWith('le='));
      const buckets = les.map((le) => sample(part('_bucket'), [`le="${le}"`, ...others], count));
      const rest = sample(part('_sum'), others, '1.5') + sample(part('_count'), others, count);
      return head(part(''), kind, help) + buckets.join('') + rest;
    });
}

function summary(): fc.Arbitrary<string> {
  const counts = fc.constantFrom('0', '1', '3', '12', '+5', '3e2', '7.0', '-1', '0.5', 'NaN');
  const quantiles = fc.uniqueArray(
    fc.oneof({ weight: 9, arbitrary: fc.constantFrom('0', '0.5', '0.99', '1') }, fc.constantFrom('NaN', '')),
    { maxLength: 2 },
  );
  return fc.tuple(fc.constantFrom('a', 'b', '{"a'), labelSet(), quantiles, counts).map(([name, labels, qs, count]) => {
    const part = (suffix: string) => (name.startsWith('{') ? `${name}${suffix}"` : `${name}${suffix}`);
    const others = labels.filter((label) => !label.startsWith('quantile='));
    const values = qs.map((q) => sample(part(''), [...others, `quantile="${q}"`], '0.25'));
    const rest = sample(part('_sum'), others, '-1.5') + sample(part('_count'), others, count);
    return head(part(''), 'summary', false) + values.join('') + rest;
  });
}

/** Lines that may be anything, and many a one that is nearly right. */
function anyLine(): fc.Arbitrary<string> {
  return fc.oneof(
    fc
      .tuple(fc.oneof(names, oddNames), labelSet(), fc.oneof(numbers, oddNumbers), blanks)
      .map((all) => sample(...all).slice(0, -1)),
    fc.tuple(fc.constantFrom('HELP', 'TYPE'), names, fc.oneof(allTypes, types)).map((words) => `# ${words.join(' ')}`),
    fc.constantFrom(
      ...[
        '',
        ' ',
        '#',
        '# a comment',
        '# HELP',
        '# TYPE a',
        '# TYPE a ',
        '# TYPE a gauge ',
        '#TYPE b counter',
        '# TYPE a info',
      ],
      ...[
        '# HELP a \\q',
        '# HELP a b\\',
        '# TYPE a gau\\ge',
        '# TYPE "a" gauge',
        '# HELP 1 x',
        '# UNIT a b',
        '# EOF',
        '{}',
      ],
      ...[
        'a',
        'a ',
        'a{',
        'a{x',
        'a{x=',
        'a{x="',
        'a{x="1"',
        'a{x="1",',
        'a{x="1",} 1',
        'a{,} 1',
        'a{} 1',
        'a{x="1"}1',
      ],
      ...['a{x="1" y="2"} 1', 'a{x="1",x="1"} 1', 'a{x=1} 1', 'a{"x"} 1', 'a"b" 1', '"a" 1', '{a} 1', '{a,x="1"} 1'],
      ...[
        '{x="1"} 1',
        '{x="1","a"} 1',
        '{"a","b"} 1',
        '{"a",} 1',
        '{"a" 1',
        '{"a"}',
        '{,"a"} 1',
        '{""} 1',
        'a+1',
        'a-1',
      ],
      ...[
        'a.5',
        'a-b 1',
        'a 1 ',
        'a 1\t',
        'a 1\r',
        '\r',
        '\uFEFFa 1',
        '1a 1',
        'é 1',
        'a{__x="1"} 1',
        'a{__name__="b"} 1',
      ],
      ...[
        'a{x="\\t"} 1',
        'a{x:y="1"} 1',
        '  a  {  x  =  "1"  ,  }  1',
        'a{x="1"}{y="2"} 1',
        'a{x="1"}} 1',
        'a 1 2 3',
        'a 1\\',
      ],
    ),
    fc.string({ maxLength: 12 }).map((text) => text.replaceAll('\n', ' ')),
  );
}

interface Mutation {
  readonly kind: 'delete' | 'insert' | 'double' | 'swap' | 'cut';
  readonly at: number;
  readonly char: string;
}

function mutations(): fc.Arbitrary<readonly Mutation[]> {
  const kind = fc.constantFrom<Mutation['kind']>('delete', 'insert', 'insert', 'double', 'swap', 'cut');
  const char = fc.constantFrom(...' \t\n\r{}"\\=,#_:.-+0a1é', '\uFEFF', '1', 'e');
  return fc.array(fc.record({ kind, at: fc.double({ min: 0, max: 1, noNaN: true }), char }), {
    minLength: 1,
    maxLength: 3,
  });
}

function mutate([parts, all]: [readonly string[], readonly Mutation[]]): string {
  return all.reduce((text, { kind, at, char }) => {
    const index = Math.floor(at * text.length);
    const lines = text.split('\n');
    const line = Math.floor(at * lines.length);
    switch (kind) {
      case 'delete':
        return text.slice(0, index) + text.slice(index + 1);
      case 'insert':
        return text.slice(0, index) + char + text.slice(index);
      case 'double':
        return [...lines.slice(0, line + 1), ...lines.slice(line)].join('\n');
      case 'swap':
        return [...lines.slice(line), ...lines.slice(0, line)].join('\n');
      case 'cut':
        return text.slice(0, index);
      default:
        return unreachable(kind);
    }
  }, parts.join(''));
}
