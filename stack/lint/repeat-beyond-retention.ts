import type { KeyPath } from '../diagnostic.ts';
import { parseDuration } from '../values/duration.ts';
import { mappingsIn, type Native } from '../values/native.ts';
import type { Lint } from './lint.ts';

/** A wait that is longer than Alertmanager remembers: it tells again once it has forgotten that it told. */
export const repeatBeyondRetention: Lint = {
  code: 'repeat-beyond-retention',
  what: 'a repeat_interval longer than alertmanager.retention',
  find: ({ config }) => {
    const { enabled, route, retention } = config.alertmanager;
    const longest = parseDuration(retention);
    if (!enabled || route === undefined || longest === undefined) return [];
    return eachRoute(route, ['alertmanager', 'route']).flatMap(({ value, path }) => {
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
  },
};

function eachRoute(value: Native, path: KeyPath): readonly { readonly value: Native; readonly path: KeyPath }[] {
  const below = mappingsIn(value['routes'], [...path, 'routes']);
  return [{ value, path }, ...below.flatMap((route) => eachRoute(route.value, route.path))];
}
