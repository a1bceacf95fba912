import { expect, test } from 'vitest';
import { explainExit } from '../../../stack/grafana/explain-exit.ts';

test.each([
  [
    'a data volume it cannot write',
    ["GF_PATHS_DATA='/var/lib/grafana' is not writable.", 'mkdir: cannot create directory'],
    'it cannot write to its data volume, which must belong to user 472',
  ],
  [
    'datasources it cannot take',
    [
      'logger=settings level=info msg="Starting Grafana"',
      'logger=provisioning level=error msg="Failed to provision data sources" error="Datasource provisioning error: yaml: line 3: mapping values"',
    ],
    'it could not take its datasources: Datasource provisioning error: yaml: line 3: mapping values',
  ],
  [
    'a database it cannot reach',
    ['Error: ✗ failed to connect to database: dial tcp 10.0.0.1:5432: connect: connection refused'],
    'it cannot reach its database: Error: ✗ failed to connect to database: dial tcp 10.0.0.1:5432: connect: connection refused',
  ],
  [
    'a full disk',
    ['level=error error="write /var/lib/grafana/grafana.db: no space left on device"'],
    'the disk of its data volume is full',
  ],
  ['nothing known', ['level=info msg=bye'], undefined],
])('the last lines of a Grafana that died of %s must tell it', (_name, lines, why) => {
  expect(explainExit(lines)).toBe(why);
});
