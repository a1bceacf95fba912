import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { render } from '../../../scripts/render/render.ts';
import { renderStack } from '../../../scripts/render/render-stack.ts';
import type { Rendering } from '../../../scripts/render/rendering.ts';
import { revealed, shown } from '../../../scripts/render/show.ts';
import { stackSchema } from '../../../stack/config.ts';
import { Secret } from '../../../stack/secret.ts';
import { folderWith } from '../../support/config.ts';
import { loadedAs, loadedFrom, templatesOf } from '../../support/loaded.ts';

const own = loadedAs(stackSchema.parse({}));

/** The rendering; throws an error with all diagnostics. */
function rendered(...args: Parameters<typeof render>): Rendering {
  const result = render(...args);
  if (!result.ok) throw new Error(JSON.stringify(result.error));
  return result.value;
}

/** Every file by its name in messages. */
function textsOf({ services }: Rendering): Readonly<Record<string, string>> {
  return Object.fromEntries(
    services.flatMap(({ service, files }) => files.map((file) => [`${service.name}/${file.path}`, revealed(file)])),
  );
}

function revisionsOf({ services }: Rendering): Readonly<Record<string, string>> {
  return Object.fromEntries(services.map(({ service, revision }) => [service.name, revision]));
}

function problemsOf(...args: Parameters<typeof render>): readonly string[] {
  const result = render(...args);
  return (result.ok ? result.warnings : result.error).map(({ message, hint }) => `${message} (${hint})`);
}

describe('a service', () => {
  it('must get its own templates, contributions and user files', () => {
    const loaded = loadedAs(own.config, [
      { service: 'prometheus', path: 'rules/user/a.yml', origin: 'a.yml', content: '# {{ $1 }}\r\ngroups: []' },
    ]);
    const rendering = rendered(
      loaded,
      templatesOf({
        'prometheus/prometheus.yml': 'name: !value name\n',
        'prometheus/run.sh': '#!/bin/sh\necho $1\n',
        'pushgateway/contribute/rules/push.yml': 'groups: []\n',
        'pushgateway/contribute/unwanted/x.yml': 'a: 1\n',
        'init/stack.yml': 'name: x\n',
      }),
    );
    const { services } = rendering;
    const prometheus = services.find(({ service }) => service.name === 'prometheus');
    expect(prometheus?.files.map(({ path, mode }) => `${path} ${mode.toString(8)}`)).toEqual([
      'prometheus.yml 444',
      'rules/promstack-revision.yml 444',
      'rules/push.yml 444',
      'rules/user/a.yml 444',
      'run.sh 555',
    ]);
    expect(textsOf(rendering)).toMatchObject({
      'prometheus/prometheus.yml': 'name: promstack\n',
      'prometheus/rules/user/a.yml': '# {{ $1 }}\r\ngroups: []',
      'prometheus/rules/push.yml': 'groups: []\n',
    });
    expect(prometheus?.files.find(({ path }) => path === 'rules/user/a.yml')).toMatchObject({
      origin: 'a.yml',
      isVerbatim: true,
    });
  });

  it('must have no files without templates', () => {
    expect(textsOf(rendered(own, templatesOf({})))).toEqual({});
  });

  it('must be absent with its contributions when disabled or left out', () => {
    const templates = templatesOf({
      'prometheus/prometheus.yml': 'jobs: [!spread contributed.scrapes]\nmanager: !value alertmanager.enabled\n',
      'pushgateway/contribute/scrapes.yml': '- push\n',
      'alertmanager/contribute/scrapes.yml': '- alert\n',
      'grafana/contribute/scrapes.yml': '- graph\n',
    });
    const loaded = loadedFrom('grafana: {enabled: false}\n');
    expect(textsOf(rendered(loaded, templates))['prometheus/prometheus.yml']).toBe(
      'jobs: [push, alert]\nmanager: true\n',
    );
    const less = rendered(loaded, templates, { without: ['alertmanager'] });
    expect(textsOf(less)['prometheus/prometheus.yml']).toBe('jobs: [push]\nmanager: false\n');
    expect(less.services.map(({ service }) => service.name)).toEqual(['pushgateway', 'prometheus']);
    expect(less.config.alertmanager.enabled).toBe(false);
  });

  it('must be known when it is left out', () => {
    expect(problemsOf(own, templatesOf({}), { without: ['grafna'] })).toEqual([
      'unknown service grafna (did you mean grafana?)',
    ]);
  });
});

describe('contributions', () => {
  it('must come in the order of the services, with comments, and with placeholders replaced', () => {
    const { 'prometheus/prometheus.yml': text } = textsOf(
      rendered(
        own,
        templatesOf({
          'alertmanager/contribute/scrapes.yml': '- &a {job: second, port: !value alertmanager.port}\n- *a\n',
          'prometheus/prometheus.yml':
            'jobs:\n  # theirs\n  - !spread contributed.scrapes\nsame: !value contributed.scrapes\n',
          'pushgateway/contribute/scrapes.yml':
            '# the first\n- job: first\n  # how often\n  every: !value prometheus.scrape_interval\n',
        }),
      ),
    );
    const items = (indent: string) =>
      [
        '# the first',
        '- job: first',
        '  # how often',
        '  every: 15s',
        '- {job: second, port: 9093}',
        '- {job: second, port: 9093}',
      ]
        .map((line) => `${indent}${line}\n`)
        .join('');
    expect(text).toBe(`jobs:\n  # theirs\n${items('  ')}same:\n${items('  ')}`);
  });

  it('must be lists', () => {
    expect(problemsOf(own, templatesOf({ 'pushgateway/contribute/scrapes.yml': 'job: first\n' }))).toEqual([
      'contribute/scrapes.yml is not a list (a contribution is a list: begin each item with "- ")',
    ]);
    expect(textsOf(rendered(own, templatesOf({ 'pushgateway/contribute/scrapes.yml': '# nothing yet\n' })))).toEqual(
      {},
    );
  });

  it('must not use each other', () => {
    expect(
      problemsOf(own, templatesOf({ 'pushgateway/contribute/scrapes.yml': '- !value contributed.scrapes\n' })),
    ).toEqual([expect.stringMatching(/^there is no value named contributed.scrapes/)]);
  });

  it('that are shipped rules must be left out with their tests when disabled, those of the user must stay', () => {
    const test = (name: string) => `rule_files:\n  - ../rules/${name}.yml\ntests: []\n`;
    const templates = templatesOf({
      'own:prometheus/contribute/rules/mine.yml': 'groups: []\n',
      'own:prometheus/tests/mine.yml': test('mine'),
      'pushgateway/contribute/rules/push.yml': 'groups: []\n',
      'pushgateway/contribute/scrapes.yml': '- push\n',
      'pushgateway/tests/push.yml': test('push'),
      'prometheus/prometheus.yml': 'jobs: !value contributed.scrapes\n',
    });
    const all = rendered(own, templates);
    expect(all.tests.map(({ path }) => path)).toEqual(['tests/mine.yml', 'tests/push.yml']);
    const less = rendered(loadedFrom('prometheus: {shipped_rules: false}\n'), templates);
    expect(Object.keys(textsOf(less))).toEqual([
      'prometheus/prometheus.yml',
      'prometheus/rules/mine.yml',
      'prometheus/rules/promstack-revision.yml',
    ]);
    expect(less.tests.map(({ path, isShipped }) => [path, isShipped])).toEqual([['tests/mine.yml', false]]);
  });

  it('that replace shipped rules must replace their shipped tests too', () => {
    const templates = templatesOf({
      'own:pushgateway/contribute/rules/push.yml': 'groups: []\n',
      'pushgateway/tests/push.yml': 'rule_files: [../rules/push.yml]\ntests: []\n',
    });
    expect(rendered(own, templates).tests).toEqual([]);
  });

  it('that nothing collects must be reported', () => {
    const templates = templatesOf({
      'own:pushgateway/contribute/rule/a.yml': 'groups: []\n',
      'own:pushgateway/contribute/scrape.yml': '- a\n',
      'pushgateway/contribute/other.yml': '- a\n',
      'prometheus/prometheus.yml': 'jobs: !value contributed.scrapes\n',
      'prometheus/contribute/scrapes.yml': '- a\n',
    });
    expect(problemsOf(own, templates)).toEqual([
      'templates/pushgateway/contribute/rule/a.yml is not used: nothing collects contributions of kind rule (did you mean rules?)',
      'templates/pushgateway/contribute/scrape.yml is not used: nothing uses contributions of kind scrape (did you mean scrapes?)',
    ]);
  });

  it('must not have the same path as another file', () => {
    const templates = templatesOf({
      'alertmanager/contribute/rules/a.yml': 'groups: []\n',
      'pushgateway/contribute/rules/a.yml': 'groups: []\n',
    });
    expect(problemsOf(own, templates)).toEqual([
      '/promstack/templates/pushgateway/contribute/rules/a.yml and /promstack/templates/alertmanager/contribute/rules/a.yml would both become prometheus/rules/a.yml (rename one of them)',
    ]);
  });
});

describe('problems of templates', () => {
  it('must be reported all at once, with positions', () => {
    const result = render(
      own,
      templatesOf({
        'own:prometheus/a.yml': 'a: [\n',
        'own:prometheus/b.yml': 'a: !value nam\n',
        'own:prometheus/c.txt': '!value nam [',
      }),
    );
    expect(result).toMatchObject({
      ok: false,
      error: [
        { code: 'yaml', where: { file: 'templates/prometheus/a.yml' } },
        {
          code: 'unknown-placeholder',
          where: { file: 'templates/prometheus/b.yml', line: 1, column: 11 },
          hint: 'did you mean name?',
        },
      ],
    });
  });
});

describe('a revision', () => {
  const templates = templatesOf({
    'alertmanager/alertmanager.yml': 'receiver: !value name\n',
    'prometheus/prometheus.yml': 'every: !value prometheus.scrape_interval\n',
  });
  const before = rendered(own, templates);

  it('must be the same for the same input, and be stamped into the files', () => {
    const again = rendered(own, templates);
    expect({ ...again, renderWith: undefined }).toEqual({ ...before, renderWith: undefined });
    expect(textsOf(before)).toEqual({
      'alertmanager/alertmanager.yml': `receiver: promstack\n# revision ${revisionsOf(before)['alertmanager']}\n`,
      'prometheus/prometheus.yml': 'every: 15s\n',
      'prometheus/rules/promstack-revision.yml': expect.stringContaining(
        `revision: "${revisionsOf(before)['prometheus']}"`,
      ),
    });
  });

  it('must change only with the files of its service', () => {
    const after = rendered(loadedFrom('prometheus: {scrape_interval: 30s}\n'), templates);
    expect(after.revision).not.toBe(before.revision);
    expect(revisionsOf(after)).toEqual({
      ...revisionsOf(before),
      prometheus: expect.not.stringMatching(revisionsOf(before)['prometheus'] ?? ''),
    });
  });

  it('must change with a mode, a path and a secret', () => {
    const withFile = (path: string, text: string, loaded = own) =>
      rendered(loaded, templatesOf({ [`prometheus/${path}`]: text })).revision;
    const secret = (text: string) =>
      loadedAs({
        ...own.config,
        prometheus: { ...own.config.prometheus, remote_write: [{ url: new Secret(text, '!env X') }] },
      });
    const revisions = [
      withFile('a', 'x'),
      withFile('b', 'x'),
      withFile('a.sh', 'x'),
      withFile('a.yml', 'a: !value prometheus.remote_write\n', secret('one')),
      withFile('a.yml', 'a: !value prometheus.remote_write\n', secret('two')),
    ];
    expect(new Set(revisions).size).toBe(revisions.length);
  });
});

describe('a secret that may be inlined in a config file', () => {
  const password = new Secret(`it's: #1 "\n{{ $1 }}`, '!env PASSWORD', true);
  const config = {
    ...own.config,
    prometheus: { ...own.config.prometheus, remote_write: [{ headers: { password } }, { password }] },
  };
  const rendering = rendered(
    loadedAs(config),
    templatesOf({
      'prometheus/contribute/list.yml': '- !spread prometheus.remote_write\n',
      'prometheus/prometheus.yml':
        '# all\nwrite: !value prometheus.remote_write\nflow: {a: [!spread contributed.list]}\n',
    }),
  );
  const file = rendering.services.flatMap(({ files }) => files).find(({ path }) => path === 'prometheus.yml');

  it('must reach the server complete, in a file that only the server can read', () => {
    if (file === undefined) throw new Error('there is no prometheus.yml');
    const list = [{ headers: { password: password.reveal() } }, { password: password.reveal() }];
    expect(parse(revealed(file))).toEqual({ write: list, flow: { a: list } });
    expect(file.mode).toBe(0o400);
    expect(file.secrets).toEqual([password]);
  });

  it('must be masked, and nothing else', () => {
    if (file === undefined) throw new Error('there is no prometheus.yml');
    expect(shown(file)).toBe(`# all
write:
  - headers:
      password: '[secret]'
  - password: '[secret]'
flow: {a: [{headers: {password: '[secret]'}}, {password: '[secret]'}]}
`);
    expect(JSON.stringify(rendering)).not.toContain('{{ $1');
    expect(String(file.content)).toBe('[secret]');
  });
});

describe('template expressions', () => {
  const strange = fc.string({
    unit: fc.constantFrom('{{ ', ' }}', '$labels', '$1', `\${1}`, '$', '%', '!value ', 'name', '"', "'", ' ', '#', ':'),
  });

  it('must be copied unchanged from a template', () => {
    fc.assert(
      fc.property(strange, (text) => {
        const template = `${stringify({ text }, { lineWidth: 0 })}name: !value name\n`;
        const { 'prometheus/a.yml': rendering = '' } = textsOf(
          rendered(own, templatesOf({ 'prometheus/a.yml': template })),
        );
        expect(rendering).toBe(template.replace(/!value name\n$/, 'promstack\n'));
      }),
    );
  });

  it('must be copied unchanged from stack.yml', () => {
    fc.assert(
      fc.property(strange, fc.dictionary(strange, strange, { noNullPrototype: true }), (text, map) => {
        const config = {
          ...own.config,
          prometheus: { ...own.config.prometheus, external_labels: { text, ...map }, remote_write: [{ text }] },
        };
        const template = 'labels: !value prometheus.external_labels\nflow: [!spread prometheus.remote_write]\n';
        const { 'prometheus/a.yml': rendering = '' } = textsOf(
          rendered(loadedAs(config), templatesOf({ 'prometheus/a.yml': template })),
        );
        expect(parse(rendering)).toEqual({ labels: { text, ...map }, flow: [{ text }] });
      }),
    );
  });

  it('must be copied byte for byte from files that are not YAML', () => {
    const text = `{{ define "x" }}\r\n!value name $1 \${1}\t`;
    expect(textsOf(rendered(own, templatesOf({ 'prometheus/a.tmpl': text })))['prometheus/a.tmpl']).toBe(text);
  });
});

describe('lines that come from stack.yml', () => {
  it('must have the key they come from', () => {
    const loaded = loadedFrom(
      'prometheus:\n  scrape_configs:\n    - job_name: a\n      metrics_path: /m\n    - job_name: b\n',
    );
    const template =
      '# comment\nevery: !value prometheus.scrape_interval\njobs:\n  - one\n  - !spread prometheus.scrape_configs\n';
    const files = rendered(loaded, templatesOf({ 'prometheus/a.yml': template })).services.flatMap(
      (service) => service.files,
    );
    expect(files.find(({ path }) => path === 'a.yml')?.filled).toEqual([
      { path: ['prometheus', 'scrape_interval'], from: 2, to: 2 },
      { path: ['prometheus', 'scrape_configs', 0], from: 5, to: 6 },
      { path: ['prometheus', 'scrape_configs', 1], from: 7, to: 7 },
    ]);
  });
});

it('must warn about files in templates/ that neither a service nor stack.yml uses', async () => {
  await using folder = await folderWith({
    'stack.yml': 'alertmanager: {templates: ["templates/*.tmpl", "templates/more/a.tmpl"]}\n',
    'templates/mine.tmpl': '{{ define "a" }}{{ end }}',
    'templates/more/a.tmpl': '{{ define "b" }}{{ end }}',
    'templates/other/b.tmpl': '{{ define "c" }}{{ end }}',
    'templates/README': 'text',
    'below/x': '',
  });
  for (const cwd of [folder.path, join(folder.path, 'below')]) {
    const stack = await renderStack({ cwd, env: {} });
    const warnings = stack.ok && stack.value.rendering.ok ? stack.value.rendering.warnings : [];
    expect(warnings.filter(({ code }) => code === 'template-of-no-service').map(({ message }) => message)).toEqual([
      expect.stringMatching(/^the template .*templates\/README is not in the folder of a service$/),
      'templates/other is not the folder of a service',
    ]);
  }
});
