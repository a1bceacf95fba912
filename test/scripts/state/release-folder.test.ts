import { describe, expect, it } from 'vitest';
import { fallbackFolder, freeFolder, revisionOf, slotOf } from '../../../scripts/state/release-folder.ts';

describe('the folder of a release', () => {
  it('must be in the first slot that is not used', () => {
    expect(freeFolder('3f2a', [])).toBe('1/3f2a');
    expect(freeFolder('3f2a', ['1/a', '2/b', '4/c'])).toBe('3/3f2a');
  });

  it('must be in a slot of its own when the same revision is written again', () => {
    expect(freeFolder('3f2a', ['1/3f2a'])).toBe('2/3f2a');
  });

  it('must be in another slot when it is not known which are used', () => {
    expect(Number(slotOf(fallbackFolder('3f2a9c0d1e4b')))).toBeGreaterThanOrEqual(100);
    expect(fallbackFolder('3f2a9c0d1e4b')).toBe(fallbackFolder('3f2a9c0d1e4b'));
    expect(fallbackFolder('new')).toBe('100/new');
  });

  it('must name its revision', () => {
    expect(revisionOf('7/3f2a')).toBe('3f2a');
  });
});
