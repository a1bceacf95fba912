import { describe, expect, it } from 'vitest';
import { httpDriver } from '../../../scripts/servers/http-driver.ts';
import type { DriverContext } from '../../../scripts/servers/service-driver.ts';
import type { HttpResponse } from '../../../stack/model.ts';
import { prometheus } from '../../../stack/prometheus/service.ts';
import { SteeredTime } from '../../support/steered-time.ts';

describe('a reload', () => {
  it('must report why the server rejected it, from its log if the response does not say', async () => {
    const { reload } = rig(
      async () => ({ status: 500, body: 'failed to reload config: one or more errors occurred\n' }),
      [
        'time=2026-01-02T03:04:05Z level=INFO msg="Loading configuration file" filename=/etc/prometheus.yml',
        'time=2026-01-02T03:04:05Z level=ERROR msg="Failed to apply configuration" err="open \\"/nowhere/a\\": no such file"',
        'time=2026-01-02T03:04:05Z level=ERROR msg="Error reloading config" err="failed to reload config: one or more errors occurred"',
      ],
    );
    await expect(reload()).rejects.toThrow(
      [
        'reloading prometheus: it rejected its new files (status 500): failed to reload config: one or more errors occurred',
        '  open "/nowhere/a": no such file',
        '  try: promstack logs prometheus has the full reason',
      ].join('\n'),
    );
  });

  it('must report a missing response as a StackError', async () => {
    const { reload } = rig(() => Promise.reject(new Error('socket hang up')));
    await expect(reload()).rejects.toThrow(
      'reloading prometheus: it did not answer: socket hang up\n  try: promstack logs prometheus',
    );
    await expect(reload()).rejects.toMatchObject({ name: 'StackError' });
  });

  it('must report once why it takes long', async () => {
    let answer: (response: HttpResponse) => void = () => undefined;
    const answered = new Promise<HttpResponse>((resolve) => {
      answer = resolve;
    });
    const { reload, time, progress } = rig(() => answered);
    const reloading = reload();
    time.pass(4_999);
    await settled();
    expect(progress).toEqual([]);
    time.pass(1);
    await settled();
    expect(progress).toEqual([prometheus.slowReload]);
    answer({ status: 200, body: '' });
    await reloading;
    time.pass(60_000);
    await settled();
    expect(progress).toHaveLength(1);
  });

  it('must end when the command is aborted', async () => {
    const enough = new Error('enough');
    const { reload, controller } = rig(async () => {
      controller.abort(enough);
      throw new Error('aborted');
    });
    await expect(reload()).rejects.toBe(enough);
  });
});

const settled = () => new Promise((resolve) => setImmediate(resolve));

function rig(request: DriverContext['request'], log: readonly string[] = []) {
  const time = new SteeredTime();
  const controller = new AbortController();
  const progress: string[] = [];
  const context = {
    service: prometheus,
    request,
    lastLines: async () => log,
    clock: time,
    signal: controller.signal,
    onProgress: (detail: string) => void progress.push(detail),
  } as unknown as DriverContext;
  return { time, controller, progress, reload: () => httpDriver.reload(context) };
}
