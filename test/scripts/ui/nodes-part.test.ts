import { describe, expect, it } from 'vitest';
import type { ContainerSummary } from '../../../scripts/engine/engine.ts';
import type { StackStatus } from '../../../scripts/inspect/status.ts';
import { type NodeSources, toNodes } from '../../../scripts/ui/nodes-part.ts';
import type { PageHeader, PartName } from '../../../scripts/ui/page-state.ts';
import { readParts, smallPageState } from '../../support/page-state.ts';

const services = ['pushgateway', 'prometheus', 'alertmanager', 'grafana'];
const { groups, targets, rules, receivers } = smallPageState();
const unread = Object.fromEntries(Object.keys(readParts).map((name) => [name, {}])) as PageHeader['parts'];

const containers = (state: ContainerSummary['state']): NodeSources['containers'] =>
  new Map(services.map((name) => [name, { name, state, image: name, status: 'Up 3 minutes' } as ContainerSummary]));

const status = {
  services: services.map((service) => ({ service, isReady: true, image: service, vitals: [] })),
  problems: [],
} as unknown as StackStatus;

/** The state and the word of each node of a stack where everything is well, but for what is given. */
function nodesWith(rest: Partial<NodeSources>): Readonly<Record<string, string>> {
  const well = { groups: {}, targets: {}, rules: {}, receivers: {}, services, silent: new Map<string, never>() };
  const nodes = toNodes({ ...well, parts: readParts, containers: containers('running'), status, ...rest });
  return Object.fromEntries(nodes.map(({ id, state, word }) => [id, `${state}: ${word}`]));
}

const notCurrent = (...names: PartName[]): PageHeader['parts'] => ({
  ...readParts,
  ...Object.fromEntries(names.map((name) => [name, { readAt: 1, why: 'it is stopped' }])),
});

describe('the nodes of a page', () => {
  it('must be ok when everything was read and nothing is wrong', () => {
    expect(nodesWith({})).toEqual({
      sources: 'ok: none refused',
      pushgateway: 'ok: ready',
      targets: 'ok: none down',
      prometheus: 'ok: ready',
      rules: 'ok: none failing',
      alertmanager: 'ok: ready',
      receivers: 'ok: none failing',
      grafana: 'ok: ready',
    });
  });

  it('may never be ok before they were read', () => {
    const nodes = nodesWith({ parts: unread, containers: undefined, status: undefined });
    expect(Object.values(nodes).filter((text) => !text.startsWith('unknown'))).toEqual([]);
    expect(nodes['sources']).toBe('unknown: not read yet');
  });

  it.each([
    ['groups', 'sources'],
    ['targets', 'targets'],
    ['rules', 'rules'],
    ['alerts', 'receivers'],
    ['routes', 'receivers'],
    ['notifications', 'receivers'],
  ] as const)('must be unknown while %s are not current, well or not', (part, node) => {
    const parts = notCurrent(part);
    expect(nodesWith({ parts })[node]).toBe('unknown: not current');
    expect(nodesWith({ parts, groups, targets, rules, receivers })[node]).toBe('unknown: not current');
    expect(nodesWith({ groups, targets, rules, receivers })[node]).toMatch(/^wrong/);
  });

  it('must not be ready by an old status, nor while the engine is away', () => {
    expect(nodesWith({ parts: notCurrent('status') })).toMatchObject({ grafana: 'unknown: running' });
    expect(nodesWith({ containers: undefined })).toMatchObject({ grafana: 'unknown: unknown' });
  });

  it('must say of a container that it is stopped or paused, whatever was read before', () => {
    expect(nodesWith({ containers: containers('exited') })).toMatchObject({ pushgateway: 'wrong: stopped' });
    expect(nodesWith({ containers: containers('paused') })).toMatchObject({ alertmanager: 'wrong: paused' });
  });
});
