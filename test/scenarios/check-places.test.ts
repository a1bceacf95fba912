import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkRendering } from '../../scripts/check/check.ts';
import { toEntries } from '../../scripts/check/container-runner.ts';
import { execRunner } from '../../scripts/check/exec-runner.ts';
import { filesOf, type OpenRunner } from '../../scripts/check/runner.ts';
import type { LoadedUserFile } from '../../scripts/config/loaded.ts';
import { connect } from '../../scripts/engine/connect.ts';
import type { Engine } from '../../scripts/engine/engine.ts';
import { render } from '../../scripts/render/render.ts';
import { loadTemplates, type TemplateSet } from '../../scripts/render/templates.ts';
import { mapLimit } from '../../scripts/util/map-limit.ts';
import { alertmanagerMistakes, ownFileMistakes, prometheusMistakes, ruleMistakes } from '../support/config-mistakes.ts';
import { loadedFrom } from '../support/loaded.ts';
import { imageOf } from '../support/tools.ts';

const services = ['prometheus', 'alertmanager'] as const;
type Checked = (typeof services)[number];

let engine: Engine;
/** A running container of each image, where its tool checks files. */
const containers = new Map<string, string>();

beforeAll(async () => {
  engine = await connect({ env: process.env });
  for (const service of services) {
    const id = await engine.createHelper({
      name: `test-places-${randomBytes(4).toString('hex')}`,
      image: await imageOf(engine, service),
      user: '65534:65534',
      entrypoint: ['/bin/busybox'],
      args: ['sleep', '3600'],
      labels: {},
      mounts: [],
    });
    containers.set(service, id);
    await engine.startContainer(id);
  }
});

afterAll(async () => {
  for (const id of containers.values()) await engine.removeContainer(id);
  await engine[Symbol.asyncDispose]();
});

const open: OpenRunner = (job) =>
  execRunner(
    engine,
    async () => {
      const directory = `/tmp/checks/${randomBytes(4).toString('hex')}`;
      const container = containers.get(job.service) ?? '';
      await engine.putFiles(container, '/', toEntries(filesOf(job), directory, job.user));
      return { container, directory };
    },
    () => Promise.reject(new Error('there is no other runner')),
  )(job);

const shipped = await loadTemplates(undefined);

/** The errors of a service's tool about a stack.yml, and files beside it: `4:7 message`. */
async function errorsIn(
  text: string,
  service: Checked,
  { userFiles = [], templates = shipped }: { userFiles?: readonly LoadedUserFile[]; templates?: TemplateSet } = {},
): Promise<readonly string[]> {
  const result = render(loadedFrom(text, userFiles), templates);
  if (!result.ok) throw new Error(JSON.stringify(result.error));
  const services = result.value.services.filter((candidate) => candidate.service.name === service);
  const signal = AbortSignal.timeout(120_000);
  const diagnostics = await checkRendering({ ...result.value, tests: [], services }, open, () => {}, signal);
  return diagnostics.map(
    ({ where, message }) => `${where === undefined ? 'nowhere' : `${where.line}:${where.column}`} ${message}`,
  );
}

/** A text with marks, as it would be written without them, and the places of the marks. */
function unmarked(marked: string): { readonly text: string; readonly places: readonly string[] } {
  const lines = marked.split('\n');
  const places = lines.flatMap((line, at) => {
    const pieces = line.split('«');
    return pieces.slice(0, -1).map((_, end) => `${at + 1}:${pieces.slice(0, end + 1).join('').length + 1}`);
  });
  return { text: marked.replaceAll('«', ''), places };
}

/** What is reported elsewhere than at the marks. */
async function misplaced(
  mistakes: readonly string[],
  check: (text: string) => Promise<readonly string[]>,
): Promise<readonly unknown[]> {
  const results = await mapLimit(mistakes, 4, async (mistake) => {
    const { text, places } = unmarked(mistake);
    const errors = await check(text);
    const reported = errors.map((error) => error.split(' ')[0] ?? '');
    return { mistake, places, errors, isRight: places.toSorted().join() === reported.toSorted().join() };
  });
  return results.filter(({ isRight }) => !isRight);
}

const inSection = (service: Checked) => (mistake: string) =>
  `name: test\n${service}:\n${mistake.replace(/^\n/, '').replace(/^(?=.)/gm, '  ')}`;

describe('an error of a tool that names no line', () => {
  it.each([
    ['prometheus', prometheusMistakes],
    ['alertmanager', alertmanagerMistakes],
  ] as const)('must be reported at its key in stack.yml: %s', { timeout: 400_000 }, async (service, mistakes) => {
    const texts = mistakes.map(inSection(service));
    expect(await misplaced(texts, (text) => errorsIn(text, service))).toEqual([]);
  });

  it('must be reported in a file of the rules', { timeout: 200_000 }, async () => {
    const check = (content: string) => {
      const file = { service: 'prometheus', path: 'rules/user/a.yml', content, origin: 'rules/a.yml' };
      return errorsIn('name: test\n', 'prometheus', { userFiles: [file] });
    };
    expect(await misplaced(ruleMistakes, check)).toEqual([]);
  });

  it("must be reported in a prometheus.yml of the user's own", { timeout: 200_000 }, async () => {
    const check = (text: string) => {
      const own = { service: 'prometheus', path: 'prometheus.yml', text, isExecutable: false, isShipped: false };
      const files = shipped.files.map((file) =>
        file.service === 'prometheus' && file.path === own.path ? { ...own, origin: 'templates/prometheus.yml' } : file,
      );
      return errorsIn('name: test\n', 'prometheus', { templates: { ...shipped, files } });
    };
    expect(await misplaced(ownFileMistakes, check)).toEqual([]);
  });
});
