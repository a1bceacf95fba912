import * as z from 'zod';
import { isAddress } from '../../values/addresses.ts';
import { loginIn } from '../../values/logins.ts';
import { enabled } from '../../values/schemas.ts';
import { quoted } from '../../values/words.ts';
import { defineMetricsPage, jobSettings, settingsOf } from '../page.ts';

/** haproxy_exporter is no longer maintained: HAProxy has had a page of metrics since version 2.0. */
export const haproxy = defineMetricsPage({
  kind: 'haproxy',
  schema: z
    .strictObject({
      enabled: enabled(true),
      targets: z
        .array(z.string())
        .default([])
        .meta({ description: 'The addresses of its page of metrics, as haproxy:8405' }),
      scrape: jobSettings,
    })
    .optional()
    .meta({
      description: "HAProxy's own page of metrics, which Prometheus scrapes without an exporter",
      isSetByKey: true,
    }),
  targetsKey: 'targets',
  isEnabled: (own) => own.enabled,
  jobs: ({ targets, scrape }) => [{ job_name: 'haproxy', ...settingsOf(scrape), static_configs: [{ targets }] }],
  problems: ({ targets }, path) => {
    if (targets.length === 0) {
      const message = 'there are no targets, so no HAProxy is scraped';
      const hint = 'write "targets: [haproxy:8405]", the address at which HAProxy serves its metrics';
      return [{ code: 'missing-key', path, atKey: true, message, hint }];
    }
    return targets.flatMap((target, at) => {
      if (loginIn(target) !== undefined) {
        const message = 'the target has a login, which every label of its series would show';
        const hint = 'write only HOST:PORT, and "scrape: {basic_auth: {username: NAME, password: !env NAME}}"';
        return [{ code: 'password-in-target', path: [...path, 'targets', at], message, hint }];
      }
      if (isAddress(target)) return [];
      const message = `${quoted(target)} is not the address of a target`;
      const hint = 'write HOST:PORT; a path or https goes into "scrape: {metrics_path: /PATH, scheme: https}"';
      return [{ code: 'wrong-target', path: [...path, 'targets', at], message, hint }];
    });
  },
});
