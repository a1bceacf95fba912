import { Agent, request } from 'node:http';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { NameScheme } from '../../stack/exposition/family.ts';
import { type Exposition, parseExposition } from '../../stack/exposition/parse-exposition.ts';
import { readLine } from '../../stack/exposition/read-line.ts';
import { bodies } from '../support/bodies.ts';
import { type TestGateways, testGateways } from '../support/pushgateway.ts';
import { getText } from '../support/servers.ts';
import { generated } from '../support/shares.ts';
import { openTools } from '../support/tools.ts';
import { viewFamilies } from '../support/view-families.ts';

/** How many bodies are held against each server. */
const { numRuns: runs } = generated('expositions held against a Pushgateway and promtool', 10_000);
/** The same in a full run: it must show each way in which the parser is stricter. */
const seed = 20_260_101;

/**
 * Codes of problems that a Pushgateway accepts with status 200, though it then keeps something else than was meant:
 * - `lost-sample`: a part of a histogram or summary without a bucket or quantile, or with one where none belongs;
 *   its value or its label vanishes.
 * - `repeated-part`: the same bucket, quantile, sum or count twice; the last wins, or both stay and the scrape has
 *   duplicates.
 * - `summary-count`: a count that is no whole number from 0 up; it is cut down, and -1 becomes 1.8e19.
 * - `scattered-family`: a quoted histogram or summary after a line of another metric; values land in the wrong one.
 * - `quoting`: a name quoted in part, quoted before the braces or bare inside them; Prometheus's own parser refuses it.
 * - `name-not-first`: braces without a metric name; the value goes to the metric of the line before.
 * - `glued-value`: `cpu-0` is read as `cpu` with the value -0.
 * - `type-backslash`: a backslash in a type is skipped.
 */
const strictCodes: ReadonlySet<string> = new Set([
  'lost-sample',
  'repeated-part',
  'summary-count',
  'scattered-family',
  'quoting',
  'name-not-first',
  'glued-value',
  'type-backslash',
]);

const group = new Map([['job', 'judged']]);
let gateways: TestGateways;
const agent = new Agent({ keepAlive: true });

beforeAll(async () => {
  gateways = await testGateways();
});
afterAll(async () => {
  agent.destroy();
  await gateways[Symbol.asyncDispose]();
});

/** Which flags make a Pushgateway take which names. */
const schemes: readonly { readonly names: NameScheme; readonly flags: readonly string[] }[] = [
  { names: 'legacy', flags: [] },
  { names: 'utf8', flags: ['--push.enable-utf8-names'] },
];

describe.each(schemes)('a Pushgateway that accepts $names names', ({ names, flags }) => {
  test(`must accept and reject the same ${runs} bodies as the parser`, async () => {
    const { url } = await gateways.start(...flags);
    let accepted = 0;
    const strictOnly = new Set<string>();
    const codes = new Set<string>();
    await fc.assert(
      fc.asyncProperty(bodies(), async (body) => {
        const read = parseExposition(body, { names, group });
        const { isTaken, words } = await put(url, textOf(read, body));
        if (read.ok) {
          accepted += 1;
          expect(isTaken, words).toBe(true);
          return;
        }
        for (const { code } of read.error) codes.add(code);
        if (!isTaken) return;
        // Stricter than the server, and only where it is known why: strictCodes tells of each.
        expect(read.error.map(({ code }) => code).filter((code) => !strictCodes.has(code))).toEqual([]);
        for (const { code } of read.error) strictOnly.add(code);
      }),
      { numRuns: runs, seed },
    );
    // Bodies of all kinds have been seen, or this would prove little.
    expect(accepted / runs).toBeGreaterThan(0.25);
    expect(accepted / runs).toBeLessThan(0.75);
    if (runs < 10_000) return;
    expect([...strictOnly].sort()).toEqual([...strictCodes].sort());
    expect(codes.size).toBeGreaterThanOrEqual(27);
  }, 300_000);

  test('must store what the parser has read', async () => {
    const { url } = await gateways.start(...flags);
    const taken = fc
      .sample(bodies(), { numRuns: 1_500, seed })
      .map((body) => parseExposition(body, { names, group }))
      .filter((read) => read.ok)
      .slice(0, 300);
    expect(taken).toHaveLength(300);
    for (const read of taken) {
      await put(url, read.text);
      const held = JSON.parse(await getText(`${url}/api/v1/metrics`)) as { data: readonly Record<string, unknown>[] };
      expect(viewFamilies(read.value, group), read.text).toEqual(viewHeld(held.data[0] ?? {}));
    }
  }, 120_000);
});

/**
 * promtool reads the format by the same grammar with the names of old. It minds no timestamps, nor what the Pushgateway
 * looks for in the whole: what stands twice or collides. `lenient` adds those codes to the parser's own strict ones.
 */
describe('promtool check metrics', () => {
  const lenient = new Set([...strictCodes, 'timestamp', 'duplicate-series', 'name-collision', 'reserved-label']);
  const all = fc.sample(bodies(), { numRuns: runs, seed });

  test('must accept everything that the parser accepts', async () => {
    const taken = all.flatMap((body) => {
      const read = parseExposition(body);
      return read.ok ? [read.text] : [];
    });
    expect(taken.length).toBeGreaterThan(runs / 4);
    await using tools = await openTools({ service: 'prometheus', files: { all: taken.map(apart).join('') } });
    const { exitCode, stderr } = await tools.run('sh', '-c', 'promtool check metrics < /files/all >/dev/null');
    // 3 is for advice on style; 1 would be a text that cannot be read.
    expect([0, 3], stderr.slice(0, 2_000)).toContain(exitCode);
    expect(stderr).not.toContain('error while linting');
  }, 120_000);

  test('must reject what the parser rejects', async () => {
    const refused = all
      .filter((body) => {
        const read = parseExposition(body);
        return !read.ok && read.error.some(({ code }) => !lenient.has(code));
      })
      .slice(0, 120);
    expect(refused).toHaveLength(Math.min(120, runs));
    const files = Object.fromEntries(refused.map((body, at) => [String(at), ended(body)]));
    await using tools = await openTools({ service: 'prometheus', files });
    const script = `for at in $(seq 0 ${refused.length - 1}); do promtool check metrics < /files/$at >/dev/null 2>&1; echo $?; done`;
    const { stdout } = await tools.run('sh', '-c', script);
    const wronglyTaken = stdout
      .trim()
      .split('\n')
      .flatMap((code, at) => (code === '1' ? [] : [refused[at]]));
    expect(wronglyTaken).toEqual([]);
  }, 120_000);
});

/** A broken connection is a refusal too: `{} 1` alone makes some versions of the Pushgateway break down on it. */
function put(url: string, body: string): Promise<{ isTaken: boolean; words: string }> {
  return new Promise((resolve) => {
    const sent = request(`${url}/metrics/job/judged`, { method: 'PUT', agent }, (answer) => {
      let words = '';
      answer.setEncoding('utf8').on('data', (chunk: string) => {
        words += chunk;
      });
      answer.on('end', () => resolve({ isTaken: answer.statusCode === 200, words }));
    });
    sent.on('error', (error) => resolve({ isTaken: false, words: error.message }));
    sent.end(body);
  });
}

function textOf(read: Exposition, body: string): string {
  return read.ok ? read.text : ended(body);
}

function ended(body: string): string {
  return body === '' || body.endsWith('\n') ? body : `${body}\n`;
}

/** The text with every name made its own by a prefix, so that many texts can be read as one. */
function apart(text: string, at: number): string {
  const lines = text.split('\n').map((line) => {
    const read = readLine(line, 'legacy');
    if (!('name' in read)) return line;
    const from = read.name.from + (line[read.name.from] === '"' ? 1 : 0);
    return `${line.slice(0, from)}p${at}_${line.slice(from)}`;
  });
  return lines.join('\n');
}

/** What the Pushgateway's API tells of a group, in the form of `viewFamilies`. */
function viewHeld(entry: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const own = new Set(['push_time_seconds', 'push_failure_time_seconds', 'last_push_successful']);
  return Object.fromEntries(
    Object.entries(entry)
      .filter(([name, value]) => !own.has(name) && typeof value === 'object' && value !== null && 'metrics' in value)
      .map(([name, value]) => {
        const { time_stamp: _, ...family } = value as Record<string, unknown>;
        return [name, family];
      }),
  );
}
