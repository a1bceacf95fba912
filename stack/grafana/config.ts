import { z } from 'zod';
import { enabled, image, port, resources } from '../values/schemas.ts';

/** The `grafana` part of stack.yml. */
export const grafanaConfig = z
  .strictObject({
    enabled: enabled(true),
    image: image.default('grafana/grafana:12.4.0'),
    port: port.default(3000),
    resources,
  })
  .meta({ description: 'Grafana shows what Prometheus holds' });
