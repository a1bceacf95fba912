import type { KeyPath } from '../diagnostic.ts';
import { parseDuration } from '../values/duration.ts';
import { mappingsIn, type Native } from '../values/native.ts';
import type { Finding, Lint } from './lint.ts';

/** A wait that is longer than Alertmanager remembers: it tells again once it has forgotten that it told. */
export const repeatBeyondRetention: Lint = {
  code: 'repeat-beyond-retention',
  what: 'a repeat_interval longer than alertmanager.retention',
  find: ({ config }) => {
    const { enabled, route, retention } = config.alertmanager;
    const longest = parseDuration(retention);
    if (!enabled || longest === undefined) return [];
    const hasDefault = typeof route?.['repeat_interval'] !== 'string';
    const byDefault = hasDefault && (parseDuration(defaultRepeat) ?? 0) > longest ? [defaultOutlasts(retention)] : [];
    const written = route === undefined ? [] : eachRoute(route, ['alertmanager', 'route']);
    const outlasting = written.flatMap(({ value, path }) => {
      const repeat = value['repeat_interval'];
      if (typeof repeat !== 'string' || (parseDuration(repeat) ?? 0) <= longest) return [];
      return [
        {
          path: [...path, 'repeat_interval'],
          message: `the repeat_interval ${repeat} is longer than Alertmanager remembers whom it told: it tells again after ${retention}`,
          hint: `set alertmanager.retention to ${repeat} or more`,
        },
      ];
    });
    return [...byDefault, ...outlasting];
  },
};

/** What Alertmanager takes where the root route says nothing (config/config.go). */
const defaultRepeat = '4h';

const defaultOutlasts = (retention: string): Finding => ({
  path: ['alertmanager', 'retention'],
  message: `Alertmanager remembers whom it told for ${retention}, and the default of repeat_interval is ${defaultRepeat}: it tells again after ${retention}`,
  hint: `set it to ${defaultRepeat} or more, or alertmanager.route.repeat_interval to what is meant`,
});

function eachRoute(value: Native, path: KeyPath): readonly { readonly value: Native; readonly path: KeyPath }[] {
  const below = mappingsIn(value['routes'], [...path, 'routes']);
  return [{ value, path }, ...below.flatMap((route) => eachRoute(route.value, route.path))];
}
