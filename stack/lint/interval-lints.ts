import { eachRoute } from '../alertmanager/route-problems.ts';
import { parseRoute, type Route } from '../alertmanager/routing-tree.ts';
import type { KeyPath } from '../diagnostic.ts';
import { listOf, type Mapping } from '../values/mapping.ts';
import { parseDuration } from '../values/units.ts';
import type { Finding, Lint } from './lint.ts';

/** A repeat_interval that exceeds the retention: Alertmanager repeats a notification once it has deleted its record of it. */
export const repeatBeyondRetention: Lint = {
  code: 'repeat-beyond-retention',
  find: ({ config }) => {
    const { enabled, route = {}, retention } = config.alertmanager;
    const longest = parseDuration(retention);
    if (!enabled || longest === undefined) return [];
    const exceeds = (repeat: string): boolean => (parseDuration(repeat) ?? 0) > longest;
    const usesDefault = typeof route['repeat_interval'] !== 'string';
    const byDefault: Finding = {
      path: ['alertmanager', 'retention'],
      message: `the retention ${retention} is shorter than the default repeat_interval of ${defaultRepeat}, so notifications repeat after ${retention}`,
      hint: `set it to ${defaultRepeat} or more, or set alertmanager.route.repeat_interval`,
    };
    const explicit = eachRoute(route, ['alertmanager', 'route']).flatMap(({ value, path }): readonly Finding[] => {
      const repeat = value['repeat_interval'];
      if (typeof repeat !== 'string' || !exceeds(repeat)) return [];
      return [
        {
          path: [...path, 'repeat_interval'],
          message: `the repeat_interval ${repeat} is longer than alertmanager.retention, so notifications repeat after ${retention}`,
          hint: `set alertmanager.retention to ${repeat} or more`,
        },
      ];
    });
    return [...(usesDefault && exceeds(defaultRepeat) ? [byDefault] : []), ...explicit];
  },
};

/** Alertmanager's default (config/config.go). */
const defaultRepeat = '4h';

/** A repeat_interval below the group_interval: notifications are repeated only when a group is due, so at the group_interval. */
export const repeatBelowGroupInterval: Lint = {
  code: 'repeat-below-group-interval',
  find: ({ config }) => {
    const { enabled, route } = config.alertmanager;
    const root = enabled ? parseRoute(route) : undefined;
    return root === undefined || route === undefined ? [] : belowGroupInterval(root, route, ['alertmanager', 'route']);
  },
};

/** For a route that sets one of the two, and for the routes below it. */
function belowGroupInterval({ timing, routes }: Route, value: Mapping, path: KeyPath): readonly Finding[] {
  const { repeatInterval, groupInterval } = timing;
  const key = ['repeat_interval', 'group_interval'].find((name) => typeof value[name] === 'string');
  const isBelow = (parseDuration(repeatInterval) ?? 0) < (parseDuration(groupInterval) ?? 0);
  const below = routes.flatMap((child, at) =>
    belowGroupInterval(child, listOf(value['routes'])[at] as Mapping, [...path, 'routes', at]),
  );
  if (key === undefined || !isBelow) return below;
  return [
    {
      path: [...path, key],
      message: `the repeat_interval ${repeatInterval} is shorter than the group_interval ${groupInterval}, so notifications repeat every ${groupInterval}`,
      hint: `set group_interval to ${repeatInterval} or less, or repeat_interval to ${groupInterval} or more`,
    },
    ...below,
  ];
}
