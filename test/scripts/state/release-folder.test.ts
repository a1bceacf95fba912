import { describe, expect, it } from 'vitest';
import { fallbackFolder, freeFolder, revisionOf, slotOf } from '../../../scripts/state/release-folder.ts';

describe('the folder of a release', () => {
  it('must be in the first free slot', () => {
    expect(freeFolder('3f2a', [])).toBe('1/3f2a');
    expect(freeFolder('3f2a', ['1/a', '2/b', '4/c'])).toBe('3/3f2a');
  });

  it('must be in a new slot when the same revision is written again', () => {
    expect(freeFolder('3f2a', ['1/3f2a'])).toBe('2/3f2a');
  });

  it('must be in a separate slot when the used ones are unknown', () => {
    expect(Number(slotOf(fallbackFolder('3f2a9c0d1e4b')))).toBeGreaterThanOrEqual(100);
    expect(fallbackFolder('3f2a9c0d1e4b')).toBe(fallbackFolder('3f2a9c0d1e4b'));
    expect(fallbackFolder('new')).toBe('100/new');
    expect(fallbackFolder('new', ['100/new', '101/old'])).toBe('102/new');
  });

  it('must contain its revision', () => {
    expect(revisionOf('7/3f2a')).toBe('3f2a');
  });
});
