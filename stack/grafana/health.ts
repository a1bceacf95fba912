import * as z from 'zod';
import type { Reading, Vital } from '../health-indicator.ts';
import { parseJson } from '../values/json.ts';

/** How Grafana is: its version, and whether its database answers. */
export function vitals(): readonly Vital[] {
  return [
    {
      label: 'database',
      request: { method: 'GET', port: 3000, path: '/api/health' },
      read: ({ body }) => readHealth(body),
    },
  ];
}

const health = z.object({ database: z.string(), version: z.string().optional() });

function readHealth(body: string): Reading | undefined {
  const parsed = health.safeParse(parseJson(body));
  if (!parsed.success) return undefined;
  const { database, version } = parsed.data;
  const values = { database, ...(version === undefined ? {} : { version }) };
  const suffix = version === undefined ? '' : ` (Grafana ${version})`;
  if (database === 'ok') return { text: `ok${suffix}`, values, tone: 'right' };
  return {
    text: `${database}${suffix}`,
    values,
    tone: 'wrong',
    problems: [{ message: `its database is ${database}`, tryThis: 'promstack logs grafana' }],
  };
}
