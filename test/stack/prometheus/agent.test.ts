import { describe, expect, it, test } from 'vitest';
import { validate } from '../../../scripts/config/validate.ts';
import { stackSchema } from '../../../stack/config.ts';
import type { RenderedFile } from '../../../stack/model.ts';
import { agentFiles, agentProof } from '../../../stack/prometheus/agent.ts';
import { prometheus } from '../../../stack/prometheus/service.ts';

const shipped = [
  'global: {}',
  '',
  'rule_files:',
  '  # Own.',
  '  - rules/*.yml',
  '',
  '# Where alerts go.',
  'alerting:',
  '  alertmanagers: []',
  '',
  'scrape_configs: []',
  'remote_read: []',
  '',
].join('\n');
const main: RenderedFile = {
  service: 'prometheus',
  path: 'prometheus.yml',
  content: shipped,
  mode: 0o444,
  origin: 'prometheus.yml',
  isShipped: true,
};

describe('the files of an agent', () => {
  const files = agentFiles([main, { ...main, path: 'rules/a.yml' }], '3f2a');

  it('must have no rules, the other lines where they were, and the revision at the end', () => {
    expect(files.map(({ path }) => path)).toEqual(['prometheus.yml']);
    expect(files[0]?.content).toBe(
      [
        'global: {}',
        '',
        '# rule_files:',
        '#   # Own.',
        '#   - rules/*.yml',
        '',
        '# Where alerts go.',
        '# alerting:',
        '#   alertmanagers: []',
        '',
        'scrape_configs: []',
        '# remote_read: []',
        '# Shows which files this agent runs.',
        'scrape_config_files: [promstack-revision-3f2a.yml]',
        '',
      ].join('\n'),
    );
  });

  it.each([
    ['scrape_config_files:\\n- /etc/promstack/current/promstack-revision-3f2a.yml\\n', 'proven'],
    ['scrape_config_files:\\n- /etc/promstack/current/promstack-revision-0000.yml\\n', 'it still runs revision 0000'],
    ['scrape_configs: []', 'it runs no revision of this stack'],
  ])('must be proven by the config that the agent shows: %s', (yaml, expected) => {
    const verdict = agentProof(files, 9090)?.assess({ status: 200, body: JSON.stringify({ data: { yaml } }) });
    expect(verdict?.kind === 'notYet' ? verdict.because : verdict?.kind).toBe(expected);
  });

  it('must not be proven by it when a template of the user has the key', () => {
    const own = { ...main, isShipped: false, content: `${shipped}scrape_config_files: [jobs/*.yml]\n` };
    expect(agentProof(agentFiles([own], '3f2a'), 9090)).toBeUndefined();
  });
});

test.each([
  ['prom/prometheus:v3.13.2', '--agent'],
  ['prom/prometheus:v2.53.0', '--enable-feature=agent'],
  ['example.com:2/prometheus:main', '--agent'],
])('%s must run as an agent with %s', (image, flag) => {
  const config = stackSchema.parse({ prometheus: { mode: 'agent', image } });
  const { args, mounts } = prometheus.container(config);
  expect(args).toContain(flag);
  expect(args.filter((argument) => argument.includes('tsdb'))).toEqual([]);
  expect(mounts).toContainEqual({ kind: 'data', volume: 'prometheus-agent-data', target: '/prometheus' });
});

test.each([
  [{ prometheus: { mode: 'agent' } }, false],
  [{ prometheus: { mode: 'agent' }, alertmanager: { enabled: true } }, true],
  [{ prometheus: { mode: 'server' } }, true],
])('an Alertmanager must be in a stack with an agent only when it is enabled: %j', (raw, isEnabled) => {
  expect(validate(raw).config?.alertmanager.enabled).toBe(isEnabled);
});
