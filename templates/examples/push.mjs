// Pushes the metrics of a prom-client registry, and the result of a batch job. Run it with `node push.mjs` in a project
// with `npm install promstack prom-client`. The Pushgateway is $PUSHGATEWAY, by default http://localhost:9091.
import { Counter, Gauge, Registry } from 'prom-client';
import { createPusher, withPush } from 'promstack';

const url = process.env.PUSHGATEWAY ?? 'http://localhost:9091';

// 1. A registry, pushed to its own group. Label values may contain anything, slashes too. The push is retried while the
//    Pushgateway is unreachable or answers 5xx, and fails at once when its content is invalid.
const registry = new Registry();
const status = new Gauge({
  name: 'raid_status',
  help: '1 if raid array is okay',
  labelNames: ['array'],
  registers: [registry],
});
const checks = new Counter({ name: 'raid_checks_total', help: 'Checks of the arrays.', registers: [registry] });
status.set({ array: 'md0' }, 1);
status.set({ array: 'md1' }, 0);
checks.inc();

const pusher = createPusher({ url, job: 'raid', grouping: { instance: 'storage-1', path: '/dev/md' }, registry });
await pusher.push(); // replaces the group; pushAdd() keeps its other metrics, delete() removes it

// 2. A batch job: pushes whether it succeeded, its duration and its last success, also when it fails. withPush returns
//    or throws what the job returns or throws.
const copied = await withPush({ url, job: 'copy' }, async (batch) => {
  const rows = 42;
  batch.set('copy_rows', rows, 'Rows copied by the last run.');
  return rows;
});
process.stdout.write(`copied ${copied} rows\n`);
