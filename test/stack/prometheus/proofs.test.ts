import { describe, expect, it } from 'vitest';
import { stackSchema } from '../../../stack/config.ts';
import type { RenderedFile, Verdict } from '../../../stack/model.ts';
import { proofs, revisionRules } from '../../../stack/prometheus/proofs.ts';

const rules = 'groups:\n  - name: a\n    rules:\n      - alert: A\n        expr: up == 0\n';
const release = (files: readonly RenderedFile[]) => ({
  config: stackSchema.parse({}),
  files,
  revision: '3f2a',
  md5: () => new Uint8Array(),
});

describe('the proof that Prometheus runs a release', () => {
  const files = [
    revisionRules('3f2a'),
    file('rules/shipped.yml', rules),
    file('rules/other.yml', rules),
    file('rules/user/a.yml', '# - alert: none yet\ngroups: [] # alert: soon\n'),
    file('rules/user/b.yml', '{"groups": [{"name": "b", "rules": [{"record": "x", "expr": "1"}]}]}'),
    file('rules/user/c.yaml', rules),
    file('prometheus.yml', 'rule_files: []\n'),
  ];
  const [evaluates, accepted] = proofs(release(files));

  it('must query one file with rules per folder, and the revision', () => {
    const asked = [...(evaluates?.request.path ?? '').matchAll(/file\[\]=([^&]*)/g)].map(([, path = '']) =>
      decodeURIComponent(path),
    );
    expect(asked).toEqual(
      ['promstack-revision.yml', 'shipped.yml', 'user/b.yml', 'user/c.yaml'].map(
        (path) => `/etc/promstack/current/rules/${path}`,
      ),
    );
  });

  it.each<[what: string, body: string, verdict: Verdict]>([
    [
      'all of them are there',
      answer({ 'promstack-revision.yml': '3f2a', 'shipped.yml': '', 'user/b.yml': '', 'user/c.yaml': '' }),
      { kind: 'proven' },
    ],
    [
      'a place is left out',
      answer({ 'promstack-revision.yml': '3f2a', 'shipped.yml': '', 'user/c.yaml': '' }),
      {
        kind: 'refuted',
        because: 'it does not evaluate rules/user/b.yml: rule_files in prometheus.yml do not match it',
      },
    ],
    [
      'another revision runs',
      answer({ 'promstack-revision.yml': 'aaaa' }),
      { kind: 'notYet', because: 'it still runs revision aaaa' },
    ],
    ['nothing runs', '{"data":{"groups":[]}}', { kind: 'notYet', because: 'it runs no revision of this stack' }],
    ['it is no answer', '<html>', { kind: 'notYet', because: 'it runs no revision of this stack' }],
  ])('must be assessed when %s', (_, body, verdict) => {
    expect(evaluates?.assess({ status: 200, body })).toEqual(verdict);
  });

  it('must wait while the response has no rules', () => {
    expect(evaluates?.assess({ status: 503, body: '' })).toEqual({
      kind: 'notYet',
      because: 'its rules API answers 503',
    });
    expect(accepted?.assess({ status: 503, body: '' }).kind).toBe('notYet');
  });

  it('must be refuted by a failed reload', () => {
    expect(accepted?.assess({ status: 200, body: '{"data":{"reloadConfigSuccess":true}}' })).toEqual({
      kind: 'proven',
    });
    expect(accepted?.assess({ status: 200, body: '{"data":{"reloadConfigSuccess":false}}' }).kind).toBe('refuted');
  });
});

/** A response of /api/v1/rules: groups by file; a string is the revision of the rule in it. */
function answer(groups: Readonly<Record<string, string>>): string {
  return JSON.stringify({
    data: {
      groups: Object.entries(groups).map(([path, revision]) => ({
        file: `/etc/promstack/current/rules/${path}`,
        rules: revision === '' ? [{ name: 'A' }] : [{ name: 'promstack_revision_info', labels: { revision } }],
      })),
    },
  });
}

function file(path: string, content: string): RenderedFile {
  return { service: 'prometheus', path, content, mode: 0o444, origin: 'a test' };
}
