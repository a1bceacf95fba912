import { describe, expect, it } from 'vitest';
import {
  type PipelineCheck,
  type ProbeResult,
  runPipelineCheck,
  type Stage,
  type StageResult,
} from '../../../../scripts/inspect/verify/pipeline-check.ts';
import { grafana } from '../../../../scripts/inspect/verify/stages/grafana.ts';
import { NoAnswerError, type Servers } from '../../../../scripts/servers/servers.ts';
import { stackSchema } from '../../../../stack/config.ts';
import { fakeClock } from '../../../support/fake-clock.ts';

const nothing = (name: string) => () => {
  throw new Error(`the fake servers were not told what to do for ${name}`);
};
const servers = (told: Partial<Servers>): Servers => ({
  config: stackSchema.parse({}),
  ask: nothing('ask'),
  json: nothing('json'),
  text: nothing('text'),
  remove: nothing('remove'),
  lines: nothing('lines'),
  file: nothing('file'),
  mustRun: nothing('mustRun'),
  close: nothing('close'),
  ...told,
});
const drillOn = (told: Partial<Servers>): PipelineCheck => ({
  servers: servers(told),
  nonce: '3f2a',
  startedAt: new Date(0),
  renderedRouting: undefined,
});

const hop = (name: string, looks: readonly (ProbeResult | NoAnswerError)[], more: Partial<Stage> = {}): Stage => {
  const left = [...looks];
  return {
    name,
    claim: `${name} is passed`,
    isThere: () => true,
    look: async () => {
      const look = left.length > 1 ? left.shift() : left[0];
      if (look === undefined) throw new Error(`${name} was looked at`);
      if (look instanceof NoAnswerError) throw look;
      return look;
    },
    ...more,
  };
};
const passed: ProbeResult = { kind: 'passed' };
const waiting: ProbeResult = { kind: 'waiting', because: 'it has not come' };
const silent = (isDown: boolean) =>
  new NoAnswerError({ service: 'prometheus', why: 'it is away', tryThis: 'wait', isDown });

async function run(...hops: readonly Stage[]) {
  const told: StageResult[] = [];
  const result = await runPipelineCheck(hops, drillOn({}), {
    clock: fakeClock(),
    signal: new AbortController().signal,
    timeoutMs: 1_000,
    onHop: (one) => void told.push(one),
  });
  expect(told).toEqual(result.hops);
  return {
    works: result.works,
    hops: result.hops.map(({ hop: name, outcome, why }) => [name, outcome, why].filter(Boolean).join(' ')),
  };
}

describe('the drill', () => {
  it('must work when every hop is passed, however often it had to look', async () => {
    expect(await run(hop('a', [passed]), hop('b', [waiting, silent(false), passed]))).toEqual({
      works: true,
      hops: ['a passed', 'b passed'],
    });
  });

  it('must leave out hops this stack does not have', async () => {
    expect(await run(hop('a', [passed]), hop('b', [], { isThere: () => false }))).toEqual({
      works: true,
      hops: ['a passed'],
    });
  });

  it('must end at the first broken hop, without a look at what comes after', async () => {
    const broken: ProbeResult = { kind: 'broken', why: 'it is gone', tryThis: 'promstack up' };
    expect(await run(hop('a', [broken]), hop('b', []))).toEqual({
      works: false,
      hops: ['a broken it is gone', 'b skipped'],
    });
  });

  it('must not wait for a server that is down', async () => {
    expect(await run(hop('a', [silent(true)]))).toEqual({ works: false, hops: ['a broken prometheus: it is away'] });
  });

  it('must say what it waited for when the time is over and nothing more is known', async () => {
    expect(await run(hop('a', [waiting]))).toEqual({
      works: false,
      hops: ['a broken not within 1 s: it has not come'],
    });
  });

  it('must find out the cause when the time is over', async () => {
    const explain = async () => ({ why: 'the scrape fails', tryThis: 'promstack logs' });
    expect(await run(hop('a', [waiting], { explain }))).toEqual({ works: false, hops: ['a broken the scrape fails'] });
    const explainNot = async () => {
      throw silent(true);
    };
    expect(await run(hop('a', [waiting], { explain: explainNot }))).toMatchObject({
      hops: ['a broken prometheus: it is away'],
    });
  });

  it('must go on after a side hop is broken, and not call that working', async () => {
    const broken: ProbeResult = { kind: 'broken', why: 'no datasource', tryThis: 'promstack reload' };
    expect(await run(hop('side', [broken], { isSide: true }), hop('b', [passed]))).toEqual({
      works: false,
      hops: ['side broken no datasource', 'b passed'],
    });
  });
});

describe('the hop through Grafana', () => {
  const answering = (status: number, body: unknown) =>
    drillOn({
      mustRun: async () => {},
      file: async (service, path) => {
        expect([service, path]).toEqual(['grafana', '/etc/promstack/secrets/admin-password']);
        return 'secret';
      },
      ask: async (service, { path, headers }) => {
        expect(service).toBe('grafana');
        expect(path).toBe(
          `/api/datasources/proxy/uid/prometheus/api/v1/query?query=${encodeURIComponent('promstack_verify_canary{promstack_verify="3f2a"}')}`,
        );
        expect(headers?.['authorization']).toBe(`Basic ${Buffer.from('admin:secret').toString('base64')}`);
        return { status, body: JSON.stringify(body) };
      },
    });
  const found = {
    status: 'success',
    data: { resultType: 'vector', result: [{ metric: { job: 'promstack-verify' } }] },
  };

  it('must be passed when its datasource finds the canary', async () => {
    expect(await grafana.look(answering(200, found))).toEqual({ kind: 'passed' });
  });

  it('must wait while its datasource finds nothing', async () => {
    expect(await grafana.look(answering(200, { data: { result: [] } }))).toMatchObject({ kind: 'waiting' });
  });

  it('must be broken at once by a wrong password or a datasource that is gone', async () => {
    expect(await grafana.look(answering(401, {}))).toMatchObject({
      kind: 'broken',
      tryThis: 'promstack password --rotate',
    });
    expect(await grafana.look(answering(404, {}))).toMatchObject({
      kind: 'broken',
      tryThis: 'promstack reload gives it back',
    });
  });
});
