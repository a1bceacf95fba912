import * as z from 'zod';
import type { Changed } from '../../apply/change.ts';
import type { Action, Plan, Removal, Step } from '../../plan/plan.ts';

/** What a change does to each service. */
export const changesSchema = () =>
  z.array(
    z.strictObject({
      service: z.string(),
      action: z.enum(['none', 'create', 'start', 'write', 'reload', 'recreate', 'remove']),
      reasons: z.array(z.string()),
      risks: z.array(z.string()).describe('data that the service loses'),
    }),
  );

export const toChanges = ({ changes }: Pick<Plan<Action>, 'changes'>) =>
  changes.map(({ service, action, because, risks = [] }) => ({ service, action, reasons: because, risks }));

/** The result of `up` and `reload`. */
export const changedSchema = () =>
  z.strictObject({ revision: z.string(), changes: changesSchema(), urls: urlsSchema() });

export const toJsonChanged = ({
  plan,
  urls,
}: Pick<Changed, 'urls'> & { readonly plan: Pick<Plan<Action>, 'revision' | 'changes'> }) => ({
  revision: plan.revision,
  changes: toChanges(plan),
  urls,
});

const urlsSchema = () => z.array(z.strictObject({ service: z.string(), url: z.string() }));

/** What is left of a stack that was taken down, because others use it. */
export const keptNetworksSchema = () =>
  z
    .array(z.strictObject({ name: z.string(), usedBy: z.array(z.string()).describe('containers of others') }))
    .describe('networks that are kept since containers of others are connected to them');

/** The names of what was removed. */
export const removedSchema = () =>
  z.strictObject({
    containers: z.array(z.string()),
    networks: z.array(z.string()),
    volumes: z.array(z.string()),
  });

/** The resources removed by steps. */
export function toRemoved(steps: readonly Step<Removal>[]): z.infer<ReturnType<typeof removedSchema>> {
  const removed = (kind: Removal['do']) => steps.flatMap((step) => (step.do === kind ? [step.name] : []));
  return {
    containers: removed('removeContainer'),
    networks: removed('removeNetwork'),
    volumes: removed('removeVolume'),
  };
}
