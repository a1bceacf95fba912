import { closest } from '../values/closest.ts';
import { quoted } from '../values/words.ts';
import { metricNames, nodesOf, parseExpression } from './expression.ts';
import type { Lint } from './lint.ts';

/** Series that Prometheus makes of firing alerts: there are none while nothing fires. */
const ofAlerts = ['ALERTS', 'ALERTS_FOR_STATE'];

/** A metric that the running Prometheus has never seen: misspelt, or not exported by anybody yet. */
export const metricUnknown: Lint = {
  code: 'metric-unknown',
  what: 'a rule over a metric that the running Prometheus does not know',
  find: ({ rules, metrics }) => {
    if (metrics === undefined || metrics.size === 0) return [];
    const recorded = rules.filter(({ kind }) => kind === 'record').map(({ name }) => name);
    const known = new Set([...metrics, ...recorded, ...ofAlerts]);
    return rules
      .filter(({ isOwn }) => isOwn)
      .flatMap(({ name, expr, file, path }) => {
        const { top } = parseExpression(expr);
        // Whoever asks for what is absent means it.
        const absent = nodesOf(top, 'FunctionCall').filter(({ firstChild }) =>
          /^Absent/.test(firstChild?.firstChild?.name ?? ''),
        );
        const isAbsent = (at: number): boolean => absent.some(({ from, to }) => from <= at && at < to);
        const unknown = metricNames(expr, top).filter((one) => !known.has(one.value) && !isAbsent(one.from));
        const once = new Map(unknown.toReversed().map((one) => [one.value, one]));
        return [...once.values()].toReversed().map(({ value, from, length }) => {
          const near = closest(value, metrics, 3);
          return {
            file,
            path: [...path, 'expr'],
            within: { from, length },
            message: `the running Prometheus knows no metric ${quoted(value)}, which ${name} is about`,
            hint:
              near === undefined
                ? 'nobody has exported it yet, or it has another name'
                : `did you mean ${quoted(near)}?`,
          };
        });
      });
  },
};
