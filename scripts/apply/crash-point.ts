import type { Action, Step, SwarmAction } from '../plan/plan.ts';

/** The kinds of steps after which a test can kill promstack; the type ensures that none is missing. */
const kinds: Readonly<Record<Step['do'], true>> = {
  createNetwork: true,
  createVolume: true,
  createConfigWriter: true,
  provideCertificates: true,
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

/** The same of a change on a swarm. */
const swarmKinds: Readonly<Record<SwarmAction['do'], true>> = {
  createSwarmNetwork: true,
  storeFiles: true,
  beginRevision: true,
  createService: true,
  updateService: true,
  removeService: true,
  waitTasks: true,
  confirmTasks: true,
  endRevision: true,
  removeFiles: true,
};
export const swarmCrashPoints: readonly string[] = Object.keys(swarmKinds);

/**
 * For tests: PROMSTACK_STOP_AFTER=switchReleases, or `confirm:prometheus`, kills promstack right after that kind of step,
 * like a power failure; PROMSTACK_PAUSE_AFTER stops it there until it gets SIGCONT. Undefined when neither is set.
 */
export function crashPoint(
  env: Readonly<Record<string, string | undefined>>,
): ((step: Step<Action>) => void) | undefined {
  const [name, signal] = (env['PROMSTACK_PAUSE_AFTER'] ?? '') === '' ? killed : paused;
  const value = env[name] ?? '';
  if (value === '') return undefined;
  const [kind = '', service] = value.split(':');
  if (commands.includes(kind)) return undefined;
  const known = [...crashPoints, ...swarmCrashPoints];
  if (!known.includes(kind)) throw new Error(`${name}=${value}: the steps are ${known.join(', ')}`);
  let isOver = false;
  return (step) => {
    const isService = service === undefined || ('service' in step && step.service === service);
    if (step.do !== kind || !isService || isOver) return;
    isOver = true;
    process.kill(process.pid, signal);
  };
}

const killed = ['PROMSTACK_STOP_AFTER', 'SIGKILL'] as const;
const paused = ['PROMSTACK_PAUSE_AFTER', 'SIGSTOP'] as const;

/** The commands that have steps of their own. */
const commands: readonly string[] = ['backup', 'upgrade', 'rename'];

/** For tests: PROMSTACK_STOP_AFTER=upgrade:copy kills promstack after that step of the command. */
export function crashAfter(env: Readonly<Record<string, string | undefined>>, command: string, step: string): void {
  if (env['PROMSTACK_STOP_AFTER'] === `${command}:${step}`) process.kill(process.pid, 'SIGKILL');
}
