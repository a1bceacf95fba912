import { expect, it } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { getText } from '../support/servers.ts';
import { stackFolder } from '../support/stack-folder.ts';

it('watch must delete groups that outlived their ttl, and keep the others', async () => {
  await using stack = await stackFolder({ pushgateway: { ttl: { default: '2s', jobs: { kept: '1h' } } } });
  const up = await stack.run('up', '--without', 'prometheus', 'alertmanager', 'sink');
  expect([up.exitCode, up.stderr]).toEqual([0, expect.stringContaining('--without is not remembered')]);
  for (const job of ['kept', 'gone']) {
    await fetch(stack.url('pushgateway', `/metrics/job/${job}`), { method: 'POST', body: 'rows 1\n' });
  }
  const watching = stack.start(['watch']);
  try {
    await eventually(async () => {
      const metrics = await getText(stack.url('pushgateway', '/metrics'));
      expect(metrics).toContain('rows{instance="",job="kept"} 1');
      expect(metrics).not.toContain('job="gone"');
    });
  } finally {
    watching.kill('SIGINT');
  }
  const { stderr } = await watching;
  expect(stderr).toContain('deleted the group {job="gone"}: its ttl has expired');
});
