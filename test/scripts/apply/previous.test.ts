import { describe, expect, it } from 'vitest';
import { previousState } from '../../../scripts/apply/previous.ts';
import { MemoryFiles } from '../../support/config-files.ts';
import { fakeEngine } from '../../support/engine.ts';
import { desiredStack, observedAs } from '../../support/states.ts';

describe('what a change goes back to', () => {
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

  it('must have the password that is kept until now, where the change gives another one', async () => {
    expect(await former({ admin_password: 'given now' })).toEqual(['admin-password: in use']);
    expect(asked).toEqual(['demo-carrier:/volumes/grafana/secrets/admin-password']);
  });

  it('must leave a password alone that the change does not give, and not even read it', async () => {
    asked.length = 0;
    expect(await former({})).toEqual([]);
    expect(asked).toEqual([]);
  });
});
