import type { Step } from '../plan/plan.ts';

/**
 * For tests: PROMSTACK_STOP_AFTER=switchReleases, or `confirm:prometheus`, kills promstack right after that kind of step, as a
 * power cut would. Undefined when it is not set.
 */
export function crashPoint(env: Readonly<Record<string, string | undefined>>): ((step: Step) => void) | undefined {
  const wanted = env['PROMSTACK_STOP_AFTER'];
  if (wanted === undefined || wanted === '') return undefined;
  const [kind, service] = wanted.split(':');
  return (step) => {
    const isService = service === undefined || ('service' in step && step.service === service);
    if (step.do === kind && isService) process.kill(process.pid, 'SIGKILL');
  };
}
