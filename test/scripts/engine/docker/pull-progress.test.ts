import { expect, test } from 'vitest';
import { createPullCount } from '../../../../scripts/engine/docker/images.ts';

test('what is known of each layer must add up', () => {
  const count = createPullCount();
  const downloading = (id: string, current: number, total: number) =>
    count({ id, status: 'Downloading', progressDetail: { current, total } });
  expect(count({ id: 'a', status: 'Pulling fs layer', progressDetail: {} })).toEqual({ doneBytes: 0, totalBytes: 0 });
  expect(downloading('a', 10, 100)).toEqual({ doneBytes: 10, totalBytes: 100 });
  expect(downloading('b', 5, 50)).toEqual({ doneBytes: 15, totalBytes: 150 });
  expect(downloading('a', 60, 100)).toEqual({ doneBytes: 65, totalBytes: 150 });
  expect(count({ id: 'a', status: 'Download complete' })).toEqual({ doneBytes: 105, totalBytes: 150 });
});

test('unpacking a layer must not count as downloading it again', () => {
  const count = createPullCount();
  count({ id: 'a', status: 'Downloading', progressDetail: { current: 100, total: 100 } });
  const extracting = count({ id: 'a', status: 'Extracting', progressDetail: { current: 1, total: 100 } });
  expect(extracting).toEqual({ doneBytes: 100, totalBytes: 100 });
});
