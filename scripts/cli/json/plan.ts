import * as z from 'zod';
import type { AlertRule } from '../../../stack/alert.ts';
import type { ChangeCost } from '../../inspect/change-cost.ts';
import type { ComparedPlan } from '../../inspect/compare-stacks.ts';
import type { AlertImpact } from '../../plan/alert-impact.ts';
import type { FileChange } from '../../plan/file-changes.ts';
import { type Action, describe } from '../../plan/plan.ts';
import type { PlanReport } from '../../plan/plan-stack.ts';
import { labelsSchema } from './alertmanager.ts';
import { changesSchema, toChanges } from './change.ts';

export const alertKeys = () => ({
  name: z.string(),
  file: z.string().describe('rule file in the config directory'),
  group: z.string(),
  labels: labelsSchema(),
});

const alertsSchema = () =>
  z.strictObject({
    total: z.int().describe('after the change'),
    added: z.array(z.strictObject(alertKeys())),
    removed: z.array(z.strictObject(alertKeys())),
    changed: z.array(z.strictObject({ ...alertKeys(), changes: z.array(z.string()) })),
    rerouted: z.array(
      z.strictObject({
        ...alertKeys(),
        receiversBefore: z.string().optional(),
        receiversAfter: z.string().optional(),
      }),
    ),
  });

/** What `up` would do, and what that means for alerts and files. */
export const planSchema = () =>
  z.strictObject({
    revision: z.string(),
    changes: changesSchema(),
    steps: z.array(
      z.strictObject({
        id: z.int(),
        after: z.array(z.int()).describe('ids of the steps that must have succeeded before'),
        description: z.string(),
        reason: z.string(),
      }),
    ),
    blocker: z
      .strictObject({
        doing: z.string(),
        why: z.string(),
        try: z.string().optional(),
        needsConfirmation: z.boolean().describe('whether up --yes goes on'),
      })
      .optional()
      .describe('why up would refuse the plan'),
    problems: z
      .array(z.strictObject({ service: z.string(), message: z.string(), try: z.string().optional() }))
      .describe('problems of running servers that would prevent a change'),
    drift: z
      .array(
        z.strictObject({
          service: z.string(),
          message: z.string(),
          try: z.string().optional().describe('how to make it part of the stack; only for what up keeps'),
        }),
      )
      .describe('manual changes since the last confirmed revision'),
    substitutes: z
      .array(
        z.strictObject({
          service: z.string(),
          image: z.string(),
          localImage: z.string(),
          isDefaultImage: z.boolean().describe('whether stack.yml does not name the image'),
        }),
      )
      .describe('images built from packages that run in place of others'),
    absentImages: z.array(z.string()).describe('images that the engine does not have yet'),
    files: filesSchema(),
    alerts: alertsSchema(),
    parts: partsSchema().optional().describe('only with --against'),
    cost: costSchema()
      .optional()
      .describe('by the running Prometheus; absent when the plan changes no job, recording rule or retention'),
  });

const costSchema = () =>
  z.strictObject({
    series: z.int().describe('difference, of what is known'),
    samplesPerSecond: z.number().describe('difference, of what is known'),
    seriesNow: z.int().optional().describe('in the head of the running Prometheus'),
    samplesPerSecondNow: z.number().optional(),
    items: z.array(
      z.strictObject({
        kind: z.enum(['job', 'recording rule']),
        name: z.string(),
        change: z.enum(['added', 'removed', 'changed']),
        series: z.int().optional().describe('difference; absent when unknown'),
        samplesPerSecond: z.number().optional().describe('difference; absent when unknown'),
        notes: z.array(z.string()),
      }),
    ),
    disk: z
      .strictObject({
        retentionBefore: z.string(),
        retentionAfter: z.string(),
        bytesNow: z.int(),
        bytesAfter: z.int().optional().describe('at the current rate; absent when there is less than a day of data'),
      })
      .optional()
      .describe('when the retention changes'),
    notes: z.array(z.string()),
  });

export function toJsonCost({
  items,
  series,
  samplesPerSecond,
  seriesNow,
  samplesPerSecondNow,
  disk,
  notes,
}: ChangeCost) {
  const rounded = (value: number): number => Math.round(value * 100) / 100;
  return {
    series,
    samplesPerSecond: rounded(samplesPerSecond),
    seriesNow,
    samplesPerSecondNow: samplesPerSecondNow === undefined ? undefined : rounded(samplesPerSecondNow),
    items: items.map((item) => ({
      ...item,
      samplesPerSecond: item.samplesPerSecond === undefined ? undefined : rounded(item.samplesPerSecond),
      notes: [...item.notes],
    })),
    disk: disk && { ...disk, bytesAfter: disk.bytesAfter && Math.round(disk.bytesAfter) },
    notes: [...notes],
  };
}

const filesSchema = () =>
  z.array(
    z.strictObject({
      service: z.string(),
      path: z.string(),
      change: z.enum(['added', 'removed', 'changed']),
      diff: z.string().describe('unified diff with secrets masked'),
      hasSecretChange: z.boolean().describe('whether a secret in it changes, which the diff does not show'),
    }),
  );

const partsSchema = () =>
  z.array(
    z.strictObject({
      kind: z.string().describe('job or receiver'),
      name: z.string(),
      change: z.enum(['added', 'removed', 'changed']),
      removedLines: z.array(z.string()).describe('its keys with their values, secrets masked'),
      addedLines: z.array(z.string()),
    }),
  );

/** The difference of two stacks. */
export const differenceSchema = () =>
  z.strictObject({
    changes: changesSchema(),
    files: filesSchema(),
    alerts: alertsSchema(),
    parts: partsSchema(),
    isNew: z.boolean().describe('whether the first revision has no stack file'),
  });

export function toJsonDifference({ plan, files, meaning, parts, isNew }: ComparedPlan) {
  return {
    changes: toChanges(plan),
    files: toJsonFiles(files),
    alerts: toJsonAlerts(meaning),
    parts: parts.map(({ kind, name, change, removed, added }) => {
      return { kind, name, change, removedLines: [...removed], addedLines: [...added] };
    }),
    isNew,
  };
}

export function toJsonPlan({
  plan,
  obstacle,
  drift,
  substitutes,
  absentImages,
  files,
  meaning,
}: Omit<PlanReport<Action>, 'stackFiles'>) {
  return {
    revision: plan.revision,
    changes: toChanges(plan),
    steps: plan.steps.map((step) => ({
      id: step.id,
      after: step.after,
      description: describe(step),
      reason: step.because,
    })),
    blocker: obstacle && {
      doing: obstacle.doing,
      why: obstacle.why,
      try: obstacle.tryThis,
      needsConfirmation: obstacle.isAsked,
    },
    drift: drift.map(({ service, message, tryThis }) => ({ service, message, try: tryThis })),
    substitutes: substitutes.map(({ service, reference, ref, isNamed }) => ({
      service,
      image: reference,
      localImage: ref,
      isDefaultImage: !isNamed,
    })),
    absentImages,
    files: toJsonFiles(files),
    alerts: toJsonAlerts(meaning),
  };
}

function toJsonFiles(files: readonly FileChange[]) {
  return files.map(({ service, path, kind, diff, hasOtherSecret }) => {
    return { service, path, change: kind, diff, hasSecretChange: hasOtherSecret };
  });
}

function toJsonAlerts({ total, added, removed, changed, ways }: AlertImpact) {
  return {
    total,
    added: added.map(toJsonAlert),
    removed: removed.map(toJsonAlert),
    changed: changed.map(({ after, fields }) => ({ ...toJsonAlert(after), changes: fields })),
    rerouted: ways.map(({ alert, before, after }) => ({
      ...toJsonAlert(alert),
      receiversBefore: before,
      receiversAfter: after,
    })),
  };
}

export function toJsonAlert({ name, file, group, labels }: AlertRule) {
  return { name, file, group, labels };
}
