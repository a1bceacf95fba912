import type { Step } from '../plan/plan.ts';

/** Every kind of step after which a test can kill promstack; the type makes sure that none is missing. */
const kinds: Readonly<Record<Step['do'], true>> = {
  createNetwork: true,
  createVolume: true,
  createConfigWriter: true,
  switchReleases: true,
  stopContainer: true,
  removeContainer: true,
  createContainer: true,
  startContainer: true,
  waitReady: true,
  reload: true,
  confirm: true,
  record: true,
  removeNetwork: true,
  removeVolume: true,
};
export const crashPoints: readonly string[] = Object.keys(kinds);

/**
 * For tests: PROMSTACK_STOP_AFTER=switchReleases, or `confirm:prometheus`, kills promstack right after that kind of step, as a
 * power cut would. Undefined when it is not set.
 */
export function crashPoint(env: Readonly<Record<string, string | undefined>>): ((step: Step) => void) | undefined {
  const wanted = env['PROMSTACK_STOP_AFTER'] ?? '';
  if (wanted === '') return undefined;
  const [kind = '', service] = wanted.split(':');
  if (!crashPoints.includes(kind))
    throw new Error(`PROMSTACK_STOP_AFTER=${wanted}: there are only ${crashPoints.join(', ')}`);
  return (step) => {
    const isService = service === undefined || ('service' in step && step.service === service);
    if (step.do === kind && isService) process.kill(process.pid, 'SIGKILL');
  };
}
