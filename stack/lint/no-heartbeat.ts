import { receiversIn } from '../alertmanager/main-file.ts';
import type { Lint } from './lint.ts';

/** The expression of a user's own heartbeat. */
const alwaysFires = /^\s*vector\(\s*1\s*\)\s*(?:(?:==|>=)\s*1\s*|>\s*0\s*)?$/;

/** Alerts that notify somebody, and nothing outside that notices when they no longer do; only a note, since many stacks need none. */
export const noHeartbeat: Lint = {
  code: 'no-heartbeat',
  find: ({ config: { alertmanager, heartbeat }, rules }) => {
    const receivers = receiversIn({ receivers: alertmanager.receivers });
    if (!alertmanager.enabled || heartbeat !== undefined) return [];
    if (receivers.every(({ integrations }) => integrations.length === 0)) return [];
    if (rules.some(({ kind, expr }) => kind === 'alert' && alwaysFires.test(expr))) return [];
    return [
      {
        path: ['alertmanager', 'receivers'],
        atKey: true,
        message: 'when Prometheus or Alertmanager fails, nobody is notified: no alert always fires',
        hint: 'add "heartbeat: {url: !env HEARTBEAT_URL}", the address of a service outside that notifies you when its calls stop',
      },
    ];
  },
};
