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
  throw new Error(`the fake servers have no response for ${name}`);
};
const servers = (calls: Partial<Servers>): Servers => ({
  config: stackSchema.parse({}),
  request: nothing('request'),
  json: nothing('json'),
  text: nothing('text'),
  lines: nothing('lines'),
  exec: nothing('exec'),
  file: nothing('file'),
  mustRun: nothing('mustRun'),
  urls: nothing('urls'),
  close: nothing('close'),
  ...calls,
});
const checkOn = (calls: Partial<Servers>): PipelineCheck => ({
  servers: servers(calls),
  nonce: '3f2a',
  startedAt: new Date(0),
  renderedRouting: { file: {}, receivers: [], isLive: false },
  nameClashes: nothing('nameClashes'),
});

const stage = (name: string, results: readonly (ProbeResult | NoAnswerError)[], more: Partial<Stage> = {}): Stage => {
  const left = [...results];
  return {
    name,
    claim: `${name} is passed`,
    isPresent: () => true,
    probe: async () => {
      const result = left.length > 1 ? left.shift() : left[0];
      if (result === undefined) throw new Error(`${name} was probed`);
      if (result instanceof NoAnswerError) throw result;
      return result;
    },
    ...more,
  };
};
const passed: ProbeResult = { kind: 'passed' };
const waiting: ProbeResult = { kind: 'waiting', because: 'it has not come' };
const noAnswer = (isDown: boolean) =>
  new NoAnswerError({ service: 'prometheus', why: 'it is away', tryThis: 'wait' }, isDown);

async function run(...stages: readonly Stage[]) {
  const reported: StageResult[] = [];
  const result = await runPipelineCheck(stages, checkOn({}), {
    clock: fakeClock(),
    signal: new AbortController().signal,
    timeoutMs: 1_000,
    onResult: (stageResult) => void reported.push(stageResult),
  });
  expect(reported).toEqual(result.hops);
  return {
    works: result.works,
    hops: result.hops.map(({ hop: name, outcome, why }) => [name, outcome, why].filter(Boolean).join(' ')),
  };
}

describe('a pipeline check', () => {
  it('must work when every stage passes, however often it is probed', async () => {
    expect(await run(stage('a', [passed]), stage('b', [waiting, noAnswer(false), passed]))).toEqual({
      works: true,
      hops: ['a passed', 'b passed'],
    });
  });

  it('must omit stages that this stack does not have', async () => {
    expect(await run(stage('a', [passed]), stage('b', [], { isPresent: () => false }))).toEqual({
      works: true,
      hops: ['a passed'],
    });
  });

  it('must end at the first broken stage, without probing later ones', async () => {
    const broken: ProbeResult = { kind: 'broken', why: 'it is gone', tryThis: 'promstack up' };
    expect(await run(stage('a', [broken]), stage('b', []))).toEqual({
      works: false,
      hops: ['a broken it is gone', 'b skipped'],
    });
  });

  it('must not wait for a server that is down', async () => {
    expect(await run(stage('a', [noAnswer(true)]))).toEqual({
      works: false,
      hops: ['a broken prometheus: it is away'],
    });
  });

  it('must report what it waited for after a timeout without a known cause', async () => {
    expect(await run(stage('a', [waiting]))).toEqual({
      works: false,
      hops: ['a broken not within 1 s: it has not come'],
    });
  });

  it('must explain a timeout', async () => {
    const explain = async () => ({ why: 'the scrape fails', tryThis: 'promstack logs' });
    expect(await run(stage('a', [waiting], { explain }))).toEqual({
      works: false,
      hops: ['a broken the scrape fails'],
    });
    const explainNot = async () => {
      throw noAnswer(true);
    };
    expect(await run(stage('a', [waiting], { explain: explainNot }))).toMatchObject({
      hops: ['a broken prometheus: it is away'],
    });
  });

  it('must continue after a broken side stage, and not count as working', async () => {
    const broken: ProbeResult = { kind: 'broken', why: 'no datasource', tryThis: 'promstack reload' };
    expect(await run(stage('side', [broken], { isSide: true }), stage('b', [passed]))).toEqual({
      works: false,
      hops: ['side broken no datasource', 'b passed'],
    });
  });
});

describe('the Grafana stage', () => {
  const answering = (status: number, body: unknown) =>
    checkOn({
      mustRun: async () => {},
      file: async (service, path) => {
        expect([service, path]).toEqual(['grafana', '/etc/promstack/secrets/admin-password']);
        return 'secret';
      },
      request: async (service, { path, headers }) => {
        expect(service).toBe('grafana');
        expect(path).toBe(
          `/api/datasources/proxy/uid/prometheus/api/v1/query?query=${encodeURIComponent('promstack_verify_canary{promstack_verify="3f2a"}')}`,
        );
        expect(headers?.['authorization']).toBe(`Basic ${Buffer.from('admin:secret').toString('base64')}`);
        return { status, headers: {}, body: JSON.stringify(body) };
      },
    });
  const canarySeries = {
    status: 'success',
    data: { resultType: 'vector', result: [{ metric: { job: 'promstack-verify' } }] },
  };

  it('must pass when its datasource returns the canary', async () => {
    expect(await grafana.probe(answering(200, canarySeries))).toEqual({ kind: 'passed' });
  });

  it('must wait while its datasource returns nothing', async () => {
    expect(await grafana.probe(answering(200, { data: { result: [] } }))).toMatchObject({ kind: 'waiting' });
  });

  it('must be broken immediately by a wrong password or a missing datasource', async () => {
    expect(await grafana.probe(answering(401, {}))).toMatchObject({
      kind: 'broken',
      tryThis: 'promstack password --rotate',
    });
    expect(await grafana.probe(answering(404, {}))).toMatchObject({
      kind: 'broken',
      tryThis: 'promstack reload restores it',
    });
  });
});
