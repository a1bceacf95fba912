import { expect, test } from 'vitest';
import { deliveries } from '../../../../scripts/cli/demo/deliveries.ts';
import type { Engine } from '../../../../scripts/engine/engine.ts';
import type { LogLine } from '../../../../scripts/engine/log-line.ts';

/** A line of the sink's log: a notification of one alert. */
const line = (alertname: string, status: string): LogLine => ({
  stream: 'stdout',
  time: '2026-01-01T00:00:00Z',
  text: JSON.stringify({
    receiver: 'sink',
    status,
    groupLabels: { alertname },
    alerts: [
      {
        status,
        labels: { alertname },
        annotations: {},
        startsAt: '2026-01-01T00:00:00Z',
        endsAt: '0001-01-01T00:00:00Z',
      },
    ],
  }),
});

test('the demo must show each state of an alert once, and not the test alert of promstack verify', async () => {
  const lines = [
    line('RaidDegraded', 'firing'),
    line('PromstackVerify', 'resolved'),
    line('RaidDegraded', 'firing'),
    line('RaidDegraded', 'resolved'),
  ];
  const engine = {
    async *logs() {
      yield* lines;
    },
  } as unknown as Engine;
  const shown = [];
  for await (const { alertname, status } of deliveries(engine, 'sink', new Date(0), AbortSignal.timeout(5_000)))
    shown.push(`${alertname} ${status}`);
  expect(shown).toEqual(['RaidDegraded firing', 'RaidDegraded resolved']);
});
