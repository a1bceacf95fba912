import { describe, expect, it } from 'vitest';
import { alertmanagerChecks, explainAmtool } from '../../../stack/alertmanager/checks.ts';
import type { StackConfig } from '../../../stack/config.ts';

/** As amtool 0.33.1 prints a failure. */
const failed = (said: string) =>
  `Checking 'CONFIG/alertmanager.yml'  FAILED: ${said}\n\namtool: error: failed to validate 1 file(s)\n\n`;
const path = 'alertmanager.yml';

describe('the output of amtool check-config', () => {
  it.each<[string, string, ReturnType<typeof explainAmtool>]>([
    [
      'invalid YAML',
      failed("yaml: line 1: did not find expected ',' or '}'"),
      [{ path, line: 1, message: "did not find expected ',' or '}'" }],
    ],
    [
      'unknown fields',
      failed(
        'yaml: unmarshal errors:\n  line 3: field foo not found in type config.plain\n  line 4: field routes not found in type config.plain',
      ),
      [
        { path, line: 3, about: 'foo', message: 'unknown key "foo"' },
        { path, line: 4, about: 'routes', message: 'unknown key "routes"' },
      ],
    ],
    [
      'an unknown receiver',
      failed('undefined receiver "b" used in route'),
      [{ path, about: 'receiver: b', message: 'undefined receiver "b" used in route' }],
    ],
    [
      'a receiver that is there twice',
      failed('notification config name "a" is not unique'),
      [{ path, about: 'name: a', message: 'notification config name "a" is not unique' }],
    ],
    ['a bad matcher', failed('bad matcher format: x'), [{ path, about: 'x', message: 'bad matcher format: x' }]],
    [
      'a bad regular expression',
      failed('error parsing regexp: missing closing ): `^(?:()$`'),
      [{ path, about: '(', message: 'invalid regular expression (: missing closing )' }],
    ],
    [
      'an unknown time zone',
      failed('unknown time zone Europe/Atlantis'),
      [{ path, about: 'Europe/Atlantis', message: 'unknown time zone Europe/Atlantis' }],
    ],
    [
      'a bad duration',
      failed('unknown unit "x" in duration "1x"'),
      [{ path, about: '1x', message: 'unknown unit "x" in duration "1x"' }],
    ],
    [
      'anything else in its own words',
      failed('no Slack API URL nor App token set either inline or in a file'),
      [{ path, message: 'no Slack API URL nor App token set either inline or in a file' }],
    ],
    [
      'a bad template',
      `Checking 'CONFIG/alertmanager.yml'  SUCCESS
Found:
 - global config
 - route
 - 0 inhibit rules
 - 1 receivers
 - 1 templates
  FAILED: template: a.tmpl:1: function "foo" not defined

amtool: error: failed to validate 1 file(s)

`,
      [{ path: 'a.tmpl', line: 1, message: 'function "foo" not defined' }],
    ],
  ])('must explain %s', (_what, output, expected) => {
    expect(explainAmtool(output)).toEqual(expected);
  });

  it.each([
    [
      'receivers: [{name: a}]\nroute:\n  routes:\n  - receiver: a\n  - \n',
      5,
      ' on this empty item of a list, and so does the server',
    ],
    ['receivers: [{name: a}, ~]\n', 1, ' on this empty item of a list, and so does the server'],
    ['receivers: [{name: a}]\n', undefined, ''],
  ])('must explain a crash in one sentence, at its likely cause in %j', (content, line, cause) => {
    const output = [
      "Checking 'CONFIG/alertmanager.yml'panic: runtime error: invalid memory address or nil pointer dereference [recovered, repanicked]",
      '[signal SIGSEGV: segmentation violation code=0x1 addr=0xa8 pc=0xc5549c]',
      '',
      'goroutine 1 [running]:',
      'github.com/prometheus/alertmanager/config.checkReceiver(0x0, 0x39be0b6af4e8)',
      '\tgithub.com/prometheus/alertmanager/config/config.go:612 +0x65',
    ].join('\n');
    const file = { service: 'alertmanager', path, content, mode: 0o444, origin: path };
    const message = `amtool crashes${cause}: runtime error: invalid memory address or nil pointer dereference`;
    expect(explainAmtool(output, [file])).toEqual([{ path, line, message }]);
  });

  it('must ignore warnings in the log', () => {
    const warning =
      'time=2026-11-28T13:52:20.113Z level=WARN source=featurecontrol.go:157 msg="Classic mode enabled"\n';
    expect(explainAmtool(warning + failed('bad matcher format: x'))).toEqual([
      { path, about: 'x', message: 'bad matcher format: x' },
    ]);
  });

  it('must have no findings for valid files', () => {
    const output =
      "Checking 'CONFIG/alertmanager.yml'  SUCCESS\nFound:\n - global config\n - route\n - 0 inhibit rules\n - 1 receivers\n - 1 templates\n  SUCCESS\n\n";
    expect(explainAmtool(output)).toEqual([]);
  });
});

it.each([
  [['--log.level=debug', '--enable-feature=classic-mode,nonsense'], 1],
  [['--enable-feature', 'nonsense'], 1],
  [['--enable-feature=nonsense'], 0],
])('a feature that Alertmanager does not have must be reported at its flag: %j', (extra_args, at) => {
  const stack = { alertmanager: { extra_args, image: 'prom/alertmanager:v0.33.1' } } as unknown as StackConfig;
  const [command] = alertmanagerChecks(stack, [], [], () => []);
  const output =
    'level=ERROR msg="error parsing the feature flag list" err="unknown option \'nonsense\' for --enable-feature"';
  expect(command?.explain(output)).toMatchObject([{ key: ['alertmanager', 'extra_args', at] }]);
});
