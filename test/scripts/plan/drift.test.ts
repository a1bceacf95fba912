import { describe, expect, it } from 'vitest';
import { printPlan } from '../../../scripts/cli/print/plan.ts';
import type { Desired } from '../../../scripts/plan/desired.ts';
import { driftOf } from '../../../scripts/plan/drift.ts';
import type { Observed } from '../../../scripts/plan/observed.ts';
import { reconcile } from '../../../scripts/plan/reconcile.ts';
import { hashFiles } from '../../../scripts/state/files-hash.ts';
import type { HistoryEntry } from '../../../scripts/state/history.ts';
import { desiredStack, observedAs, withService } from '../../support/states.ts';

const details = { restartPolicy: 'unless-stopped', networks: { demo: { aliases: [] } } };

describe('drift', () => {
  it('must be empty on an unchanged stack', () => {
    expect(texts(recorded(['prometheus', 'sink']))).toEqual([]);
  });

  it('must not include rounding by the engine', () => {
    const { desired, observed } = recorded(['prometheus']);
    const spec = desired.services[0]?.spec;
    if (spec === undefined) throw new Error('the stack has a service');
    const changed = withService(observed, 'prometheus', {
      spec: { ...spec, resources: { cpus: 0.3333333333 } },
      details: { cpus: 0.333333333, ...details },
    });
    expect(texts({ desired, observed: changed })).toEqual([]);
  });

  it('must not include later edits of stack.yml', () => {
    const { desired, observed } = recorded(['prometheus']);
    const edited: Desired = {
      ...desired,
      revision: 'edited',
      services: desired.services.map((service) => ({
        ...service,
        specHash: 'edited',
        ...(service.release === undefined ? {} : { release: { ...service.release, revision: 'edited' } }),
      })),
    };
    const behind = withService(observed, 'prometheus', { unproven: 'it still runs revision prometheus-new' });
    expect(driftOf(edited, behind)).toEqual([]);
  });

  it('must report what was changed by hand inside a running server, which up reloads', () => {
    const { desired, observed } = recorded(['prometheus', 'sink']);
    const edited = withService(observed, 'prometheus', { edits: ['the datasource a was removed by hand'] });
    expect(texts({ desired, observed: edited })).toEqual(['prometheus: the datasource a was removed by hand']);
    expect(reconcile(desired, edited).changes).toMatchObject([
      { service: 'prometheus', action: 'reload', because: ['the datasource a was removed by hand'] },
      { service: 'sink', action: 'none' },
    ]);
  });

  it('must report a stopped and a removed container, which up fixes', () => {
    const { desired, observed } = recorded(['prometheus', 'sink']);
    const stopped = withService(observed, 'sink', { state: 'exited' });
    const both = { ...stopped, services: new Map([...stopped.services].filter(([name]) => name !== 'prometheus')) };
    expect(texts({ desired, observed: both })).toEqual([
      'prometheus: its container was removed',
      'sink: its container is stopped',
    ]);
    expect(printPlan(reconcile(desired, both))).toMatchInlineSnapshot(`
      "plan for demo: 2 to change, 0 unchanged
        + prometheus     create    its container is gone
        > sink           start     it is stopped
      "
    `);
  });

  it('must report a changed container, which up recreates', () => {
    const { desired, observed } = recorded(['prometheus']);
    const altered = withService(observed, 'prometheus', {
      details: { memoryBytes: 314_572_800, cpus: 0.5, restartPolicy: 'no', networks: { bridge: { aliases: [] } } },
    });
    expect(texts({ desired, observed: altered })).toEqual([
      'prometheus: its memory limit was changed by hand: unset -> 300MB',
      'prometheus: its cpu limit was changed by hand: unset -> 0.5',
      'prometheus: its restart policy was changed by hand: unless-stopped -> no',
      'prometheus: it was disconnected from the network demo by hand',
    ]);
    expect(printPlan(reconcile(desired, altered))).toMatchInlineSnapshot(`
      "plan for demo: 1 to change, 0 unchanged
        ± prometheus     recreate  its memory limit was changed by hand: unset -> 300MB
                                   its cpu limit was changed by hand: unset -> 0.5
                                   its restart policy was changed by hand: unless-stopped -> no
                                   it was disconnected from the network demo by hand
      "
    `);
  });

  it('must report edited files, even when stack.yml has changed since', () => {
    const { desired, observed } = recorded(['prometheus']);
    expect(texts({ desired, observed: withService(observed, 'prometheus', { filesHash: 'touched' }) })).toEqual([
      'prometheus: its files were changed by hand in the config volume',
    ]);
  });

  it('must report a link to a release that was not confirmed', () => {
    const { desired, observed } = recorded(['prometheus']);
    const moved = withService(observed, 'prometheus', { linked: 'other' });
    expect(texts({ desired, observed: moved })).toEqual([
      'prometheus: the files in place are of revision other, which was not confirmed: a change was interrupted, or the link was changed by hand',
    ]);
  });

  it('must report a server that runs a different revision than the recorded one', () => {
    const { desired, observed } = recorded(['prometheus']);
    const behind = withService(observed, 'prometheus', { unproven: 'it still runs revision other' });
    expect(texts({ desired, observed: behind })).toEqual([
      'prometheus: it does not run the files in place: it still runs revision other',
    ]);
  });
});

/** A stack without drift, and its history. */
function recorded(services: readonly string[]): { desired: Desired; observed: Observed } {
  const desired = desiredStack(services);
  const plain = observedAs(desired, services);
  const entry: HistoryEntry = {
    revision: desired.revision,
    at: '2026-01-02T03:04:05.000Z',
    who: 'ann@build1',
    command: 'up',
    changed: [],
    services: Object.fromEntries(
      desired.services.flatMap(({ service, release }) =>
        release === undefined
          ? []
          : [[service.name, { folder: `1/${release.revision}`, hash: hashFiles(release.files) }]],
      ),
    ),
  };
  const whole = services.reduce((observed, name) => withService(observed, name, { details }), plain);
  return { desired, observed: { ...whole, history: { sequence: 1, entries: [entry] } } };
}

const texts = ({ desired, observed }: { desired: Desired; observed: Observed }): readonly string[] =>
  driftOf(desired, observed).map(({ service, message }) => `${service}: ${message}`);
