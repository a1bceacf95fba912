import * as z from 'zod';
import { duration, secretText } from '../values/schemas.ts';

/** The `heartbeat` section of stack.yml. */
export const heartbeatConfig = z
  .strictObject({
    url: secretText.meta({
      title: 'string, `!env` or `!file`',
      description: 'The URL to call: of a service outside of this machine, which notifies you when the calls stop',
    }),
    every: duration.default('1m').meta({ description: 'How often to call it; at least 10s' }),
  })
  .optional()
  .meta({
    description:
      'An alert that always fires, and calls a URL through Prometheus and Alertmanager, so that a service outside notices when one of them no longer works',
  });
