import { describe, expect, it } from 'vitest';
import { findService } from '../../stack/services.ts';

/** Log lines of servers started in these ways (Prometheus 3.5.3, Alertmanager 0.33.1, Pushgateway 1.11.2, Grafana 12.4). */
const exits: readonly (readonly [service: string, lines: readonly string[], cause: string | undefined])[] = [
  [
    'prometheus',
    [
      'time=2026-11-22T08:59:49.786Z level=ERROR source=main.go:580 msg="Error loading config (--config.file=nope.yml)" file=/etc/nope.yml err="open nope.yml: no such file or directory"',
    ],
    'it cannot load its config: open nope.yml: no such file or directory',
  ],
  [
    'prometheus',
    [
      'time=2026-11-22T08:59:50.608Z level=ERROR source=main.go:600 msg="Error loading rule file patterns from config (--config.file=\\"p2.yml\\")" file=/etc/p2.yml err="parse rules from file \\"r.yml\\": could not parse expression: 1:5: parse error"',
    ],
    'it cannot load its config: parse rules from file "r.yml": could not parse expression: 1:5: parse error',
  ],
  [
    'prometheus',
    [
      'time=2026-11-22T08:59:49.6Z level=ERROR source=query_logger.go:113 msg="Error opening query log file" component=activeQueryTracker file=/prometheus/queries.active err="open /prometheus/queries.active: permission denied"',
      'panic: Unable to create mmap-ed active query log',
      'goroutine 1 [running]:',
      'main.main()',
    ],
    'its user may not write /prometheus/queries.active: the volume belongs to another user, for example after a change of image',
  ],
  [
    'prometheus',
    [
      'time=2026-11-22T09:00:00.0Z level=ERROR source=main.go:1363 msg="Fatal error" err="opening storage failed: lock DB directory: resource temporarily unavailable"',
    ],
    'another Prometheus uses its data volume',
  ],
  [
    'prometheus',
    [
      "Error parsing command line arguments: unknown long flag '--no-such'",
      "prometheus: error: unknown long flag '--no-such'",
    ],
    'it does not know the flag --no-such: check extra_args and the version of the image',
  ],
  [
    'alertmanager',
    [
      'time=2026-11-22T08:59:56.715Z level=ERROR source=main.go:274 msg="error loading configuration file" err="yaml: unmarshal errors:\\n  line 1: field scrape_configs not found in type config.plain"',
    ],
    'it cannot load its config: yaml: unmarshal errors:   line 1: field scrape_configs not found in type config.plain',
  ],
  [
    'alertmanager',
    [
      'time=2026-11-22T08:59:56.741Z level=ERROR source=main.go:230 msg="Unable to create data directory" err="mkdir /alertmanager/x: permission denied"',
    ],
    'its user may not write /alertmanager/x: the volume belongs to another user, for example after a change of image',
  ],
  [
    'alertmanager',
    [
      'time=2026-11-22T08:59:57.216Z level=ERROR source=main.go:641 msg="Listen error" err="listen tcp 127.0.0.1:9093: bind: address already in use"',
    ],
    '127.0.0.1:9093 is already in use in its container',
  ],
  ...(
    [
      [
        'error loading configuration file: no Slack API URL nor App token set either inline or in a file',
        'it cannot load its config: no Slack API URL nor App token set either inline or in a file',
      ],
      [
        'error loading configuration file: open /nope.yml: no such file or directory',
        'it cannot load its config: open /nope.yml: no such file or directory',
      ],
      [
        'failed to apply initial configuration: failed to parse templates: template: t.tmpl:1: function \\"nofunc\\" not defined',
        'it cannot load its config: failed to parse templates: template: t.tmpl:1: function "nofunc" not defined',
      ],
      [
        'unable to create data directory: mkdir /root/x: permission denied',
        'its user may not write /root/x: the volume belongs to another user, for example after a change of image',
      ],
      [
        'failed to determine external URL: \\"ftp://x\\": invalid \\"ftp\\" scheme',
        'it failed: failed to determine external URL: "ftp://x": invalid "ftp" scheme',
      ],
      [
        'alertmanager/app: listen \\"1.2.3.4:9093\\": listen tcp 1.2.3.4:9093: bind: cannot assign requested address',
        'it failed: alertmanager/app: listen "1.2.3.4:9093": listen tcp 1.2.3.4:9093: bind: cannot assign requested address',
      ],
    ] as const
  ).map(
    // Alertmanager 0.34.0 ends with one line for every cause.
    ([error, cause]) =>
      [
        'alertmanager',
        [
          `time=2026-11-28T13:53:47.093Z level=ERROR source=main.go:198 msg="alertmanager exited with error" err="${error}"`,
        ],
        cause,
      ] as const,
  ),
  [
    'alertmanager',
    [
      'time=2026-11-28T13:53:51.369Z level=ERROR source=main.go:106 msg="error parsing the feature flag list" err="unknown option \'bogus\' for --enable-feature"',
    ],
    "its flags are wrong: unknown option 'bogus' for --enable-feature",
  ],
  [
    'pushgateway',
    [
      'ts=2026-11-22T09:00:03.271Z level=error caller=main.go:210 msg="problem shutting down metric storage" err="open /pushgateway/m.in_progress.38: permission denied"',
    ],
    'its user may not write /pushgateway/m.in_progress.38: the volume belongs to another user, for example after a change of image',
  ],
  [
    'pushgateway',
    ['write /pushgateway/metrics.store: no space left on device'],
    'no space left on device: free some space, or shorten the retention',
  ],
  ['prometheus', ['fatal error: runtime: out of memory'], 'it ran out of memory: raise its memory limit'],
  ['prometheus', ['time=… level=INFO msg="See you next time!"'], undefined],
  [
    'grafana',
    ["GF_PATHS_DATA='/var/lib/grafana' is not writable.", 'mkdir: cannot create directory'],
    'it cannot write to its data volume: all of it must belong to user 472; a container of any image that mounts it can run chown -R 472:0 on it',
  ],
  [
    'grafana',
    [
      'logger=settings level=info msg="Starting Grafana"',
      'logger=provisioning level=error msg="Failed to provision data sources" error="Datasource provisioning error: yaml: line 3: mapping values"',
    ],
    'it could not provision its datasources: Datasource provisioning error: yaml: line 3: mapping values',
  ],
  [
    'grafana',
    ['Error: ✗ failed to connect to database: dial tcp 10.0.0.1:5432: connect: connection refused'],
    'it cannot connect to its database: failed to connect to database: dial tcp 10.0.0.1:5432: connect: connection refused',
  ],
  [
    'grafana',
    ['level=error error="write /var/lib/grafana/grafana.db: no space left on device"'],
    'the disk of its data volume is full: free some space on it',
  ],
  ['grafana', ['Error: ✗ database or disk is full'], 'the disk of its data volume is full: free some space on it'],
  [
    'grafana',
    ['Error: ✗ file is not a database'],
    'the database grafana.db in its data volume is damaged: restore it from a backup; once it is moved away, Grafana starts with an empty one',
  ],
  [
    'grafana',
    [
      '{"error":"Datasource provisioning error: data source with the same \\"uid\\" exists","level":"error","logger":"provisioning","msg":"Failed to provision data sources"}',
    ],
    'it could not provision its datasources: Datasource provisioning error: data source with the same "uid" exists',
  ],
  [
    'grafana',
    [
      'logger=sqlstore.transactions level=info msg="Database locked, sleeping then retrying" error="database is locked" retry=0 code="database is locked"',
    ],
    undefined,
  ],
  [
    'grafana',
    [
      '{"error":"database is locked","level":"info","logger":"sqlstore.transactions","msg":"Database locked, sleeping then retrying","retry":0}',
    ],
    undefined,
  ],
  [
    'grafana',
    [
      'Error: ✗ invalid service state: Failed, expected: Terminated, failure: invalid service state: Failed, expected: Running, failure: not healthy, 0 terminated, 1 failed: [starting module plugin.backgroundinstaller: invalid service state: Failed, expected: Running, failure: failed to install plugin nosuch-datasource@: Get "https://grafana.com/api/plugins/nosuch-datasource/versions": dial tcp: lookup grafana.com on 127.0.0.11:53: no such host]',
    ],
    'it could not download a plugin to install at start: failed to install plugin nosuch-datasource@: Get "https://grafana.com/api/plugins/nosuch-datasource/versions": dial tcp: lookup grafana.com on 127.0.0.11:53: no such host',
  ],
  [
    'grafana',
    [
      'Error: ✗ invalid service state: Failed, expected: Terminated, failure: invalid service state: Failed, expected: Running, failure: not healthy, 0 terminated, 1 failed: [starting module provisioning: invalid service state: Failed, expected: Running, failure: Datasource provisioning error: failed to provision "L" data source: [org.notFound] failed to get org by ID: 9]',
    ],
    'it could not provision its datasources: Datasource provisioning error: failed to provision "L" data source: [org.notFound] failed to get org by ID: 9',
  ],
  ['grafana', ['level=info msg=bye'], undefined],
  ['alertmanager', [], undefined],
];

describe('the cause of an exit', () => {
  it.each(exits)('must be found in the last log lines of %s', (name, lines, cause) => {
    expect(findService(name)?.explainExit?.(lines)).toBe(cause);
  });
});

it.each([
  "GF_PATHS_DATA='/var/lib/grafana' is not writable.",
  'Error: ✗ database or disk is full',
  'Error: ✗ database disk image is malformed',
  'Error: ✗ attempt to write a readonly database',
])('the data volume of a Grafana that exits with "%s" must be named', (line) => {
  const cause = findService('grafana')?.explainExit?.([line], ['s-grafana-config', 's-grafana-data']);
  expect(cause).toContain('its data volume s-grafana-data');
});

describe('a slow start of Prometheus', () => {
  const read = (body: string, status = 200) => findService('prometheus')?.starting?.read({ status, body });

  it("must show the progress of the write-ahead log's replay", () => {
    expect(read('{"status":"success","data":{"min":3,"max":14,"current":5}}')).toBe(
      'replaying the write-ahead log, segment 3 of 12',
    );
    expect(read('{"status":"success","data":{"min":0,"max":0,"current":0}}')).toBe('opening its storage');
  });

  it('must show nothing when the response has no progress', () => {
    expect(read('', 404)).toBeUndefined();
    expect(read('<html>')).toBeUndefined();
  });
});
