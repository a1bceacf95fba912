import { describe, expect, it } from 'vitest';
import { previousState } from '../../../scripts/apply/previous.ts';
import { MemoryFiles } from '../../support/config-files.ts';
import { fakeEngine } from '../../support/engine.ts';
import { desiredStack, observedAs } from '../../support/states.ts';

describe('the state that a change rolls back to', () => {
  const asked: string[] = [];
  const engine = fakeEngine({
    getFiles: async (container, path) => {
      asked.push(`${container}:${path}`);
      const content = Buffer.from('in use');
      return [{ kind: 'file', path: 'admin-password', content, mode: 0o400, uid: 472, gid: 0 }];
    },
  });
  const former = async (grafana: object) => {
    const desired = desiredStack(['prometheus', 'grafana'], { grafana });
    const { services } = await previousState(
      engine,
      new MemoryFiles(),
      observedAs(desired, ['prometheus', 'grafana']),
      desired,
    );
    return services.flatMap(({ given }) => [...given].map(([name, secret]) => `${name}: ${secret.reveal()}`));
  };

  it('must have the stored password if the change sets a different one', async () => {
    expect(await former({ admin_password: 'given now' })).toEqual(['admin-password: in use']);
    expect(asked).toEqual(['demo-carrier:/volumes/grafana/secrets/admin-password']);
  });

  it('must not read a password that the change does not set', async () => {
    asked.length = 0;
    expect(await former({})).toEqual([]);
    expect(asked).toEqual([]);
  });
});
