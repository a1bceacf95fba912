import { expect, test } from 'vitest';
import { realReceivers } from '../../../scripts/inspect/test-receiver.ts';
import { objectSource } from '../../../scripts/library/stack-source.ts';

test.each([
  [true, ['chat']],
  [false, ['sink', 'chat']],
])('with the sink enabled: %s, the receivers that notify somebody must be %j', async (enabled, names) => {
  const webhook = { webhook_configs: [{ url: 'http://chat.example/hook' }] };
  const own = [...(enabled ? [] : [{ name: 'sink', ...webhook }]), { name: 'chat', ...webhook }, { name: 'nobody' }];
  const config = { sink: { enabled }, alertmanager: { route: { receiver: 'chat' }, receivers: own } };
  const source = await objectSource(
    config,
    {},
    { env: {}, report: () => undefined, signal: new AbortController().signal },
  );
  try {
    const rendering = await source.render({ name: 'test-receivers' });
    expect([...realReceivers(rendering)].sort()).toEqual([...names].sort());
  } finally {
    await source.remove();
  }
});
