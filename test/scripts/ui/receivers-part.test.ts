import { describe, expect, it } from 'vitest';
import { type Notifications, toPageReceivers } from '../../../scripts/ui/receivers-part.ts';

const at = new Date('2026-01-31T12:00:00Z');
const minutesAgo = (minutes: number): number => at.getTime() - minutes * 60_000;
const routing = { file: {}, receivers: [{ name: 'on-call', integrations: ['webhook'] }], isLive: true };

/** Metrics of Alertmanager: requests and those that failed, with these labels. */
const counted = (requests: number, failed: number, labels = 'integration="webhook",receiver_name="on-call"'): string =>
  `alertmanager_notification_requests_total{${labels}} ${requests}\n` +
  `alertmanager_notification_requests_failed_total{${labels}} ${failed}\n`;

const last = (outcome: 'delivered' | 'failed', minutes: number): Notifications =>
  new Map([['on-call', [{ at: minutesAgo(minutes), outcome, text: '', alerts: ['DiskFull'] }]]]);

function receiverWith(page: string, all: Notifications = new Map(), whyUnrecorded?: string) {
  const [receiver] = toPageReceivers(routing, page, { all, whyUnrecorded: () => whyUnrecorded }, at);
  return { word: `${receiver?.state}: ${receiver?.word}`, receiver };
}

describe('a receiver of an Alertmanager that records', () => {
  it('must be as its last notification went', () => {
    expect(receiverWith(counted(3, 0), last('delivered', 1)).word).toBe('ok: delivered');
    expect(receiverWith(counted(3, 1), last('delivered', 1)).word).toBe('notice: delivered');
    expect(receiverWith(counted(3, 3), last('failed', 60)).word).toBe('wrong: failing');
    expect(receiverWith('').word).toBe('ok: not notified yet');
  });

  it('must not count an attempt that failed, or has not ended, as delivered', () => {
    expect(receiverWith(counted(4, 4)).word).toBe('wrong: failing');
    expect(receiverWith(counted(4, 4)).receiver).toMatchObject({ delivered: 0, failed: 4 });
  });
});

describe('a receiver of an Alertmanager without an alert log', () => {
  const byKind = counted(5, 2, 'integration="webhook"');
  const why = 'Alertmanager 0.25.0 does not record alerts';

  it('must be unknown when requests are counted by kind only, and say what is known', () => {
    const { word, receiver } = receiverWith(byKind, new Map(), why);
    expect(word).toBe('unknown: not known');
    expect([receiver?.delivered, receiver?.failed]).toEqual([undefined, undefined]);
    expect(receiver).toMatchObject({
      unknown: `${why}; it counts requests of all receivers together: by webhook 3 delivered, 2 failed`,
    });
  });

  it('must be failing after a failure, but not for ever: that it was delivered since is not known', () => {
    expect(receiverWith(byKind, last('failed', 5), why).word).toBe('wrong: failing');
    expect(receiverWith(byKind, last('failed', 60), why).word).toBe('unknown: failed before');
  });

  it('must be delivered when it is counted by receiver', () => {
    expect(receiverWith(counted(2, 0), new Map(), why)).toMatchObject({
      word: 'ok: delivered',
      receiver: { delivered: 2, unknown: why },
    });
  });
});
