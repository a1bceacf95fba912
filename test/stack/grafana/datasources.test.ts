import { expect, test } from 'vitest';
import { stackSchema } from '../../../stack/config.ts';
import { datasourceNames } from '../../../stack/grafana/datasources.ts';

test.each<[string, object[], string[]]>([
  ['none', [], []],
  ['of another spelling', [{ name: 'prometheus', type: 'prometheus' }], ['prometheus']],
  ['of its name', [{ name: 'Prometheus', type: 'prometheus' }], []],
  ['of its uid', [{ name: 'Metrics', uid: 'prometheus', type: 'prometheus' }], ['Metrics']],
  ['of another server', [{ name: 'Logs', type: 'loki', url: 'http://logs:3100' }], ['Logs']],
])(
  // An adopted volume may have it, with the uid of a datasource of the stack: Grafana does not start with both.
  'Grafana must delete a datasource with the name of one in stack.yml before it adds any: %s',
  (_, datasources, names) => {
    const config = stackSchema.parse({ grafana: { datasources } });
    expect(datasourceNames(config)).toEqual(
      ['Prometheus', 'Alertmanager', ...names].map((name) => ({ name, orgId: 1 })),
    );
  },
);
