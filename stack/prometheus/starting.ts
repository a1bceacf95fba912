import * as z from 'zod';
import type { HttpResponse } from '../model.ts';
import { parseJson } from '../values/json.ts';

const replay = z.object({ data: z.object({ min: z.number(), max: z.number(), current: z.number() }) });

/** Prometheus answers this before it is ready: how far it is through its write-ahead log. */
export const starting = {
  request: { method: 'GET', port: 9090, path: '/api/v1/status/walreplay' },
  read: ({ status, body }: HttpResponse): string | undefined => {
    const parsed = status === 200 ? replay.safeParse(parseJson(body)) : undefined;
    if (parsed?.success !== true) return undefined;
    const { min, max, current } = parsed.data.data;
    if (max === 0 && current === 0) return 'opening its storage';
    return `replaying the write-ahead log, segment ${Math.max(0, current - min) + 1} of ${max - min + 1}`;
  },
} as const;
