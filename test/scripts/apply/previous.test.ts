import { describe, expect, it } from 'vitest';
import { previousState } from '../../../scripts/apply/previous.ts';
import { MemoryFiles } from '../../support/config-files.ts';
import { fakeEngine } from '../../support/engine.ts';
import { desiredStack, observedAs, withService } from '../../support/states.ts';

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

  it('must have the connections of each container beside that to the network of the stack', async () => {
    const desired = desiredStack(['prometheus']);
    const lab = { aliases: ['metrics'], settings: { IPAMConfig: { IPv4Address: '172.31.0.9' } } };
    const networks = { demo: { aliases: ['prometheus'] }, lab };
    const observed = withService(observedAs(desired, ['prometheus']), 'prometheus', {
      details: { restartPolicy: 'unless-stopped', networks },
    });
    const { services } = await previousState(engine, new MemoryFiles(), observed, desired);
    expect(services.map(({ connections }) => connections)).toEqual([{ lab }]);
  });
});
