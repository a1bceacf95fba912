import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { forRunningImages } from '../../../scripts/plan/substitutes.ts';
import type { Rendering } from '../../../scripts/render/rendering.ts';
import { revealed } from '../../../scripts/render/show.ts';
import {
  alertLogPath,
  explainMissingRecorder,
  recorderMissingIn,
  recordsAlerts,
  rotateAlertLog,
} from '../../../stack/alertmanager/event-recorder.ts';
import { stackSchema } from '../../../stack/config.ts';
import { folderWith } from '../../support/config.ts';
import { renderingOf } from '../../support/own-tests.ts';

/** What Alertmanager is started with: its features, and the event_recorder of its file. */
function startedWith({ services }: Rendering) {
  const alertmanager = services.find(({ service }) => service.name === 'alertmanager');
  const main = alertmanager?.files.find(({ path }) => path === 'alertmanager.yml');
  return {
    features: alertmanager?.container.args.find((flag) => flag.startsWith('--enable-feature=')),
    recorder: main === undefined ? undefined : parse(revealed(main)).event_recorder,
  };
}

const both = '--enable-feature=receiver-name-in-metrics,event-recorder';
const without = '--enable-feature=receiver-name-in-metrics';
const ours = { file_outputs: [{ path: alertLogPath }] };

describe('the event recorder', () => {
  it.each([
    ['prom/alertmanager:v0.33.0', true],
    ['quay.io:443/prometheus/alertmanager:v0.34.0', true],
    ['promstack/alertmanager:0.33.1-debian', true],
    ['prom/alertmanager:v1.0.0', true],
    ['prom/alertmanager:v0.32.2', false],
    ['prom/alertmanager:v0.27.0', false],
    ['prom/alertmanager:latest', false],
    ['registry.example:5000/alertmanager:stable', false],
    [`prom/alertmanager@sha256:${'0034'.repeat(16)}`, false],
    // Without a shell, nothing rotates its file.
    ['prom/alertmanager:v0.34.0-distroless', false],
  ])('must be used where the tag of the image says that it is there: %s', async (image, isUsed) => {
    const { features, recorder } = startedWith(await renderingOf({ stack: `alertmanager: {image: "${image}"}\n` }));
    expect({ features, recorder }).toEqual(
      isUsed ? { features: both, recorder: ours } : { features: without, recorder: undefined },
    );
  });

  it.each(['prom/alertmanager:v0.26.0', 'quay.io:443/prometheus/alertmanager:v0.4.2'])(
    'must not be asked of a version without features: %s',
    async (image) => {
      const { features, recorder } = startedWith(await renderingOf({ stack: `alertmanager: {image: "${image}"}\n` }));
      expect({ features, recorder }).toEqual({ features: undefined, recorder: undefined });
    },
  );

  it.each([
    ['switched off', '{alert_log: false}', without, undefined],
    ['switched on', '{alert_log: true, image: "own/alertmanager:1"}', both, ours],
    [
      'with outputs of its own',
      '{event_recorder: {file_outputs: [{path: /x}]}}',
      both,
      { file_outputs: [{ path: '/x' }] },
    ],
    ['without any', '{event_recorder: {}}', both, {}],
    [
      'with a feature of its own',
      '{extra_args: ["--enable-feature=event-recorder,auto-gomaxprocs"]}',
      `${both},auto-gomaxprocs`,
      ours,
    ],
  ])('must be as stack.yml says: %s', async (_, keys, features, recorder) => {
    expect(startedWith(await renderingOf({ stack: `alertmanager: ${keys}\n` }))).toMatchObject({ features, recorder });
  });

  it('must be as the template of the user says', async () => {
    const own =
      'route: !value alertmanager.route\nreceivers: [!spread alertmanager.receivers]\nevent_recorder: {stdout_outputs: [{}]}\n';
    const rendering = await renderingOf({ stack: '', templates: { 'alertmanager/alertmanager.yml': own } });
    expect(startedWith(rendering).recorder).toEqual({ stdout_outputs: [{}] });
  });

  it.each([
    ['an older one from packages', '{}', 'promstack/alertmanager:0.28.1-debian', false],
    ['a newer one from packages', '{image: "prom/alertmanager:v0.28.1"}', 'promstack/alertmanager:0.33.1-debian', true],
    ['one from a mirror', '{}', 'mirror.example/prom/alertmanager:v0.34.0', true],
    ['one that stack.yml knows better', '{alert_log: true}', 'promstack/alertmanager:0.28.1-debian', true],
  ])('must be as the image that runs in place of another has it: %s', async (_, keys, ref, isUsed) => {
    const rendering = await renderingOf({ stack: `alertmanager: ${keys}\n` });
    const { image } = rendering.config.alertmanager;
    const running = forRunningImages(rendering, new Map([[image, { ref }]]));
    const fresh = await renderingOf({ stack: `alertmanager: {image: "${image}", alert_log: ${isUsed}}\n` });
    expect(startedWith(running)).toEqual(startedWith(fresh));
    expect(running.revision === rendering.revision).toBe(recordsAlerts(rendering.config) === isUsed);
  });

  it('must be an error at its key for a version that does not have it, and none by default', () => {
    const missing = { path: 'alertmanager.yml', message: 'field event_recorder not found in type config.plain' };
    const explained = (alertmanager: object) => explainMissingRecorder(stackSchema.parse({ alertmanager }), missing);
    expect(explained({ alert_log: true })).toMatchObject({
      key: ['alertmanager', 'alert_log'],
      message: expect.stringContaining('needs 0.33'),
    });
    expect(explained({})).toMatchObject({ isReportedElsewhere: true });
    expect(explained({ event_recorder: {} })).toEqual(missing);
    const other = { ...missing, message: 'field reciever not found in type config.plain' };
    expect(explainMissingRecorder(stackSchema.parse({}), other)).toEqual(other);
  });

  it('must have a file that is rotated when it is long, and only then', async () => {
    await using folder = await folderWith({});
    const path = join(folder.path, 'alert-log.jsonl');
    const run = () => execa('sh', ['-c', rotateAlertLog.replaceAll(alertLogPath, path)]);
    await run();
    for (const name of ['a', 'b', 'c', 'd', 'e']) {
      await writeFile(path, name);
      await run();
      expect(await readFile(path, 'utf8')).toBe(name);
      await writeFile(path, name.repeat(5 * 2 ** 20));
      await run();
    }
    expect((await readdir(folder.path)).toSorted()).toEqual([1, 2, 3].map((at) => `alert-log.jsonl.${at}`));
    expect((await readFile(`${path}.3`, 'utf8'))[0]).toBe('c');
    expect((await readFile(`${path}.1`, 'utf8'))[0]).toBe('e');
    await mkdir(path);
    await run();
  });
});

it.each([
  ['prom/alertmanager:v0.32.1', true, /needs Alertmanager 0\.33 or newer, and prom\/alertmanager:v0\.32\.1 runs$/],
  ['promstack/alertmanager:0.28.1-debian', true, /and promstack\/alertmanager:0\.28\.1-debian runs$/],
  ['prom/alertmanager:v0.32.1', false, undefined],
  ['prom/alertmanager:v0.33.0', true, undefined],
  // Its server says whether it has one.
  ['prom/alertmanager:latest', true, undefined],
])(
  'the files of an earlier revision must be refused where %s cannot record alerts, if they do: %s',
  async (image, hasOne, why) => {
    const { services } = await renderingOf({ stack: `alertmanager: {alert_log: ${hasOne}}\n` });
    const alertmanager = services.find(({ service }) => service.name === 'alertmanager');
    if (alertmanager === undefined) throw new Error('there is no Alertmanager');
    const refusal = recorderMissingIn(alertmanager.files, { ...alertmanager.container, image });
    expect(refusal).toEqual(why && expect.stringMatching(why));
  },
);
