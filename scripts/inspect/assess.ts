import type { DesiredService } from '../plan/desired.ts';
import type { ObservedService } from '../plan/observed.ts';
import type { Change } from '../plan/plan.ts';
import type { StatusProblem } from './status.ts';

/**
 * What a difference between a service and what it is meant to be means to a person: an edit of stack.yml that has not
 * been applied is no fault of what runs; a container that is gone, or what was changed by hand (`drift`), are.
 */
export function assessChange(
  change: Change,
  wanted: DesiredService | undefined,
  found: ObservedService | undefined,
  drift: readonly string[],
): readonly StatusProblem[] {
  const { service, action } = change;
  const isTold = action === 'create' || action === 'start';
  if (drift.length > 0 && !isTold) {
    return drift.map((message) => ({ tone: 'wrong', service, message, tryThis: 'promstack up' }));
  }
  const because = change.because.join('; ');
  switch (action) {
    case 'none':
      return [];
    case 'create':
      return [{ tone: 'wrong', service, message: 'it has no container', tryThis: 'promstack up' }];
    case 'start':
      return [
        { tone: 'wrong', service, message: because, tryThis: `promstack up, or promstack logs ${service} for why` },
      ];
    case 'remove':
      return [{ tone: 'notice', service, message: because, tryThis: 'promstack up removes it' }];
    case 'recreate':
      return [
        ...(found !== undefined && found.container.state !== 'running'
          ? [
              {
                tone: 'wrong',
                service,
                message: `its container is ${found.container.state}`,
                tryThis: 'promstack up',
              } as const,
            ]
          : []),
        { tone: 'notice', service, message: `it is not as stack.yml says: ${because}`, tryThis: 'promstack up' },
      ];
    case 'reload': {
      const isEdited = found?.linked !== wanted?.release?.revision;
      return isEdited
        ? [
            {
              tone: 'notice',
              service,
              message: `it does not run what stack.yml says: ${because}`,
              tryThis: 'promstack reload',
            },
          ]
        : [{ tone: 'wrong', service, message: because, tryThis: 'promstack up' }];
    }
  }
}
