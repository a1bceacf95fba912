import { expect, test } from 'vitest';
import { flagChecks } from '../../stack/values/flag-check.ts';

const check = (...extra: readonly string[]) => {
  const own = ['--config.file=/etc/x.yml', '--storage.tsdb.path=/prometheus', '--web.listen-address=:9090'];
  const [command] = flagChecks({
    service: 'prometheus',
    title: 'Prometheus',
    program: 'prometheus',
    args: [...own, ...extra],
    extra,
    image: 'prom/prometheus:v3.5.3',
    started: /ready/,
    smallestConfig: '{}',
  });
  if (command === undefined) throw new Error('there is nothing to check');
  return command;
};
const list = 'docker run --rm prom/prometheus:v3.5.3 --help lists the flags of this version';

test('the flags must be tried without the config, the data and the port of the server', () => {
  const { argv, reads } = check('--query.timeout=1m');
  expect(argv.join(' ')).not.toMatch(/etc\/x|\/prometheus |:9090/);
  expect(argv.at(-1)).toBe('--query.timeout=1m');
  expect(reads).toEqual([]);
});

test('a stack without flags of its own must have nothing to check', () => {
  expect(() => check()).toThrow('there is nothing to check');
});

test.each<[readonly string[], string, number, string]>([
  [['--a=1', '--log.level debug'], "unknown long flag '--log.level debug'", 1, 'write "--log.level=debug"'],
  [['-web.enable-lifecycle'], "unknown short flag '-w'", 0, 'write "--web.enable-lifecycle"'],
  [
    ['--storage.tsdb.retention=15d'],
    "unknown long flag '--storage.tsdb.retention'",
    0,
    'use prometheus.retention in place of it',
  ],
  [['--b', 'c'], 'unexpected c', 1, list],
  [['--b', '--data.retention'], "expected argument for flag '--data.retention'", 1, list],
  [['--c=5', '--d=abc'], 'strconv.ParseInt: parsing "abc": invalid syntax', 1, list],
])('of the flags %j the wrong one must be named: %s', (extra, message, at, hint) => {
  const output = `Error parsing command line arguments: ${message}\nprometheus: error: ${message}\nusage: prometheus [<flags>]\n`;
  expect(check(...extra).passes?.(output)).toBe(false);
  expect(check(...extra).explain(output)).toEqual([{ message, key: ['prometheus', 'extra_args', at], hint }]);
});

test('a feature that the server does not have must be a warning', () => {
  const output =
    'level=WARN msg="Unknown option for --enable-feature" option=nonsense\nlevel=ERROR err="open /dev/shm/promstack-no-config.yml: no such file"';
  const command = check('--enable-feature=exemplar-storage,nonsense');
  expect(command.passes?.(output)).toBe(true);
  expect(command.warnings?.(output)).toMatchObject([{ key: ['prometheus', 'extra_args', 0] }]);
});

test.each([[['--log.level=warn']], [['--log.level', 'error']], [['--query.timeout=1m', '--log.level=warn']]])(
  'the check of a start must wait for no line that %j hides',
  (extra) => {
    const flags = {
      service: 'prometheus',
      title: 'Prometheus',
      program: 'prometheus',
      image: 'prom/prometheus:v3.5.3',
    };
    const [parsed, start] = flagChecks({ ...flags, args: extra, extra, started: /ready/ });
    expect(parsed?.argv.join(' ')).toContain(extra.join(' '));
    expect(start?.argv.join(' ')).not.toContain('log.level');
    expect(start?.argv.includes('--query.timeout=1m')).toBe(extra.includes('--query.timeout=1m'));
  },
);
