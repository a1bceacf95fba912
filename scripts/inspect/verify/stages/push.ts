import { canaryJob, canaryLabel, canaryMetric } from '../../../../stack/canary.ts';
import { groupPath, toGroup } from '../../../servers/pushgateway/group.ts';
import type { PipelineCheck, Stage } from '../pipeline-check.ts';

const service = 'pushgateway';

/** Where the canary of a drill lies in the Pushgateway. */
export function canaryPath(nonce: string): string {
  return groupPath(toGroup(canaryJob, { [canaryLabel]: nonce }));
}

/** A push goes in and is shown on the page that Prometheus reads. */
export const push: Stage = {
  name: 'pushgateway',
  claim: 'takes the canary and shows it',
  isThere: () => true,
  look: async ({ servers, nonce }: PipelineCheck) => {
    // Its group may be there from the look before: the same push again changes nothing.
    const body = `# TYPE ${canaryMetric} gauge\n# HELP ${canaryMetric} A drill of promstack verify is under way.\n${canaryMetric} 1\n`;
    const { status, body: answer } = await servers.ask(service, { method: 'POST', path: canaryPath(nonce), body });
    if (status >= 400 && status < 500) {
      return {
        kind: 'broken',
        why: `it refuses the push with ${status}: ${answer.trim()}`,
        tryThis: 'promstack logs pushgateway',
      };
    }
    if (status >= 300) return { kind: 'waiting', because: `it answers ${status} to the push: ${answer.trim()}` };
    const page = await servers.text(service, '/metrics');
    if (page.includes(`${canaryLabel}="${nonce}"`)) return { kind: 'passed' };
    return { kind: 'waiting', because: 'it took the push and does not show it' };
  },
};
