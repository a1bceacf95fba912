import { describe, expect, it } from 'vitest';
import type { CheckJob, CheckRun, OpenRunner } from '../../../scripts/check/runner.ts';
import { sparing } from '../../../scripts/check/sparing.ts';
import type { CheckCommand, RenderedFile } from '../../../stack/model.ts';

const command: CheckCommand = {
  title: 'all of it',
  tool: 'promtool',
  argv: ['promtool'],
  judgesAlone: (path) => path.startsWith('rules/'),
  explain: () => [],
};
const files = [file('prometheus.yml', 'a'), file('rules/a.yml', 'a'), file('rules/b.yml', 'b')];

describe('a check of files that passed before', () => {
  it('must leave out those that are judged alone, and look at the others again', async () => {
    const { check, looked } = setUp();
    await check(files);
    await check([file('prometheus.yml', 'a'), file('rules/a.yml', 'a'), file('rules/b.yml', 'edited')]);
    expect(looked).toEqual([
      ['prometheus.yml', 'rules/a.yml', 'rules/b.yml'],
      ['prometheus.yml', 'rules/b.yml'],
    ]);
  });

  it('must look again at all of them when one did not pass', async () => {
    const { check, looked, answer } = setUp();
    answer.exitCode = 1;
    await check(files);
    answer.exitCode = 0;
    await check(files);
    expect(looked[1]).toEqual(['prometheus.yml', 'rules/a.yml', 'rules/b.yml']);
  });

  it('must look at all of them with another image, and under another mode', async () => {
    const { check, looked, image } = setUp();
    await check(files);
    image.id = 'sha256:other';
    await check(files);
    await check(files.map((one) => ({ ...one, mode: 0o400 })));
    expect(looked.map((paths) => paths.length)).toEqual([3, 3, 3]);
  });

  it('must leave out nothing where a command reads files together, as tests do', async () => {
    const { check, looked } = setUp();
    const { judgesAlone: _, ...test } = command;
    await check(files, [command, test]);
    await check(files, [command, test]);
    expect(looked.map((paths) => paths.length)).toEqual([3, 3]);
  });

  it('must remember nothing of an image that is not present', async () => {
    const { check, looked, image } = setUp();
    image.id = undefined;
    await check(files);
    await check(files);
    expect(looked.map((paths) => paths.length)).toEqual([3, 3]);
  });
});

function setUp() {
  const looked: string[][] = [];
  const answer = { exitCode: 0 };
  const image: { id: string | undefined } = { id: 'sha256:one' };
  const open: OpenRunner = async (job: CheckJob) => {
    looked.push(job.files.map(({ path }) => path));
    return {
      where: 'a test',
      run: async (): Promise<CheckRun> => ({ kind: 'ran', exitCode: answer.exitCode, output: '' }),
      [Symbol.asyncDispose]: async () => {},
    };
  };
  const findImage = async () => (image.id === undefined ? undefined : { ref: 'image', id: image.id });
  const spare = sparing(open, new Map(), findImage);
  const check = async (some: readonly RenderedFile[], commands: readonly CheckCommand[] = [command]): Promise<void> => {
    await using runner = await spare({ service: 'prometheus', image: 'image', user: '0:0', files: some, commands });
    for (const one of commands) await runner.run(one, new AbortController().signal);
  };
  return { check, looked, answer, image };
}

function file(path: string, content: string): RenderedFile {
  return { service: 'prometheus', path, content, mode: 0o444, origin: 'a test' };
}
