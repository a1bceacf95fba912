import * as z from 'zod';
import type { Firing } from '../../../stack/prometheus/alert-simulator.ts';
import { type AlertHistory, type BacktestWindow, totalsOf } from '../../inspect/backtest/alert-history.ts';
import type { Backtest, FireCount } from '../../inspect/backtest/backtest.ts';
import { labelsSchema } from './alertmanager.ts';
import { alertKeys, toJsonAlert } from './plan.ts';
import { timeSchema } from './schema.ts';

/** How many firings of an alert are listed. */
export const mostListed = 5;

const totalsKeys = () => ({
  fires: z.int(),
  firingSeconds: z.number(),
  longestSeconds: z.number(),
});

const countKeys = () => ({ before: z.int(), after: z.int() });

/** How alerts would have fired in the past. */
export const backtestSchema = () =>
  z.strictObject({
    from: timeSchema(),
    to: timeSchema(),
    alerts: z.array(
      z.strictObject({
        ...alertKeys(),
        change: z.enum(['added', 'changed', 'unchanged']),
        before: z.strictObject(totalsKeys()).optional().describe('as it runs; absent for an added alert'),
        after: z
          .strictObject({
            ...totalsKeys(),
            firings: z
              .array(
                z.strictObject({
                  labels: labelsSchema(),
                  from: timeSchema(),
                  to: timeSchema().optional().describe('absent while it fires'),
                }),
              )
              .describe('the first five'),
          })
          .optional()
          .describe('as in stack.yml; absent when it could not be evaluated'),
        error: z.string().optional().describe('why it could not be evaluated'),
        notes: z.array(z.string()),
      }),
    ),
    severities: z.array(z.strictObject({ severity: z.string(), ...countKeys() })),
    receivers: z.array(z.strictObject({ receiver: z.string(), ...countKeys() })).describe('alerts for each, ungrouped'),
    notes: z.array(z.string()),
  });

export function toJsonBacktest({ window, alerts, severities, receivers, notes }: Backtest) {
  return {
    from: toIso(window.fromMs),
    to: toIso(window.toMs),
    alerts: alerts.map(({ alert, change, before, after, failure, notes: own }) => ({
      ...toJsonAlert(alert),
      change,
      before: before && toTotals(before, window),
      after: after && { ...toTotals(after, window), firings: after.firings.slice(0, mostListed).map(toFiring) },
      error: failure,
      notes: own,
    })),
    severities: severities.map(({ name, ...counts }: FireCount) => ({ severity: name, ...counts })),
    receivers: receivers.map(({ name, ...counts }: FireCount) => ({ receiver: name, ...counts })),
    notes,
  };
}

function toTotals({ firings }: AlertHistory, window: BacktestWindow) {
  const { fires, firingMs, longestMs } = totalsOf(firings, window);
  return { fires, firingSeconds: firingMs / 1000, longestSeconds: longestMs / 1000 };
}

function toFiring({ labels, from, until }: Firing) {
  return { labels, from: toIso(from), to: until === undefined ? undefined : toIso(until) };
}

const toIso = (ms: number): string => new Date(ms).toISOString();
