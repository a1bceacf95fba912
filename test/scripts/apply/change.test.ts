import { describe, expect, test } from 'vitest';
import { EngineError } from '../../../scripts/engine/engine-error.ts';
import type { Desired } from '../../../scripts/plan/desired.ts';
import { StackError } from '../../../scripts/util/stack-error.ts';
import { MemoryStack, stackOf } from '../../support/memory-stack.ts';

const old = stackOf('old');

/** From a running stack, or none, to a different one. */
interface Change {
  readonly before?: Desired;
  readonly after: Desired;
}

const firstUp: Change = { after: stackOf('new') };
const reload: Change = { before: old, after: stackOf('new') };
const recreate: Change = { before: old, after: stackOf('new', { prometheus: { retention: { time: '3d' } } }) };
const removal: Change = { before: old, after: stackOf('new', { alertmanager: { enabled: false } }) };

/** Makes the change on a separate stack; returns the calls, the messages and what runs afterwards, as text. */
async function attempt(
  { before, after }: Change,
  onCall: (call: string) => void,
  signal?: AbortSignal,
): Promise<string> {
  const stack = new MemoryStack();
  if (before !== undefined) await stack.change(before);
  stack.onCall = onCall;
  const error: unknown = await stack.change(after, signal).then(
    () => 'no error',
    (reason: unknown) => reason,
  );
  const said = error instanceof StackError ? `${error.doing}: ${error.why}` : String(error);
  const notes = stack.events.flatMap((event) =>
    event.kind === 'note' || event.kind === 'warning' ? [`${event.kind}: ${event.text}`] : [],
  );
  const calls = stack.calls.filter((call, at) => call !== stack.calls[at - 1]);
  return `${[said, ...notes].join('; ').replaceAll('\n  ', '; ')}; runs ${stack.running}\n    ${calls.join(', ')}\n`;
}

/** All calls and requests of a successful change, each once. */
async function callsOf(change: Change): Promise<readonly string[]> {
  const calls = new Set<string>();
  await attempt(change, (call) => void calls.add(call));
  return [...calls];
}

/** The outcome when each of the calls fails: once, or each time for requests to a server with those files. */
async function failing(change: Change, error = new Error('no')): Promise<string> {
  const rows: string[] = [];
  for (const failed of await callsOf(change)) {
    let isDone = false;
    const text = await attempt(change, (call) => {
      if (call !== failed || isDone) return;
      isDone = !/ is ready | answers /.test(call);
      throw error;
    });
    rows.push(`${failed}! -> ${text}`);
  }
  return `\n${rows.join('')}`;
}

/** The outcome when the user interrupts at each of the calls, which still succeeds. */
async function interrupted(change: Change): Promise<string> {
  const rows: string[] = [];
  for (const at of await callsOf(change)) {
    const controller = new AbortController();
    const onCall = (call: string): void => {
      if (call === at) controller.abort(new Error('interrupted'));
    };
    rows.push(`${at} -> ${await attempt(change, onCall, controller.signal)}`);
  }
  return `\n${rows.join('')}`;
}

describe('a failure must be rolled back if anything running was changed, and reported', () => {
  test('in a first up', async () => {
    expect(await failing(firstUp)).toMatchInlineSnapshot(`
      "
      create network! -> Error: no; runs nothing
          create network!, create volume
      create volume! -> Error: no; runs nothing
          create network, create volume!, create volume
      create config writer! -> Error: no; runs nothing
          create network, create volume, create config writer!
      create prometheus! -> Error: no; runs alertmanager created
          create network, create volume, create config writer, create prometheus!, create alertmanager, switch prometheus to new, alertmanager to new, record
      create alertmanager! -> Error: no; runs prometheus created
          create network, create volume, create config writer, create prometheus, create alertmanager!, switch prometheus to new, alertmanager to new, record
      switch prometheus to new, alertmanager to new! -> Error: no; runs prometheus created, alertmanager created
          create network, create volume, create config writer, create prometheus, create alertmanager, switch prometheus to new, alertmanager to new!, record
      start prometheus! -> Error: no; runs prometheus created, alertmanager new
          create network, create volume, create config writer, create prometheus, create alertmanager, switch prometheus to new, alertmanager to new, start prometheus!, start alertmanager, record
      start alertmanager! -> Error: no; runs prometheus new, alertmanager created
          create network, create volume, create config writer, create prometheus, create alertmanager, switch prometheus to new, alertmanager to new, start prometheus, start alertmanager!, record
      prometheus is ready with new! -> starting prometheus: it was not ready in time: it does not answer: no; prometheus was stopped; its container is left so that its log can be read; runs prometheus exited, alertmanager new
          create network, create volume, create config writer, create prometheus, create alertmanager, switch prometheus to new, alertmanager to new, start prometheus, start alertmanager, stop prometheus, record
      alertmanager is ready with new! -> starting alertmanager: it was not ready in time: it does not answer: no; alertmanager was stopped; its container is left so that its log can be read; runs prometheus new, alertmanager exited
          create network, create volume, create config writer, create prometheus, create alertmanager, switch prometheus to new, alertmanager to new, start prometheus, start alertmanager, stop alertmanager, record
      prometheus answers with new! -> confirming that prometheus evaluates the rules of revision new: it does not answer: no, after 60 s; prometheus was stopped; its container is left so that its log can be read; runs prometheus exited, alertmanager new
          create network, create volume, create config writer, create prometheus, create alertmanager, switch prometheus to new, alertmanager to new, start prometheus, start alertmanager, stop prometheus, record
      alertmanager answers with new! -> confirming that alertmanager runs the alertmanager.yml of revision new: it does not answer: no, after 60 s; alertmanager was stopped; its container is left so that its log can be read; runs prometheus new, alertmanager exited
          create network, create volume, create config writer, create prometheus, create alertmanager, switch prometheus to new, alertmanager to new, start prometheus, start alertmanager, stop alertmanager, record
      record! -> Error: no; runs prometheus new, alertmanager new
          create network, create volume, create config writer, create prometheus, create alertmanager, switch prometheus to new, alertmanager to new, start prometheus, start alertmanager, record!, record
      "
    `);
  });

  test('in a reload of two servers', async () => {
    expect(await failing(reload)).toMatchInlineSnapshot(`
      "
      write files! -> Error: no; runs prometheus old, alertmanager old
          write files!
      switch prometheus to new, alertmanager to new! -> Error: no; warning: everything was rolled back to what ran before, and that is confirmed; runs prometheus old, alertmanager old
          write files, switch prometheus to new, alertmanager to new!, record
      prometheus is ready with old! -> starting prometheus: it was not ready in time: it does not answer: no; everything was rolled back to what ran before, and that is confirmed; runs prometheus old, alertmanager old
          write files, switch prometheus to new, alertmanager to new, reload alertmanager to new, switch alertmanager to old, prometheus to old, reload alertmanager to old, record
      alertmanager is ready with old! -> starting alertmanager: it was not ready in time: it does not answer: no; everything was rolled back to what ran before, and that is confirmed; runs prometheus old, alertmanager old
          write files, switch prometheus to new, alertmanager to new, reload prometheus to new, switch alertmanager to old, prometheus to old, reload prometheus to old, record
      reload prometheus to new! -> reloading prometheus: it did not answer: no; everything was rolled back to what ran before, and that is confirmed; runs prometheus old, alertmanager old
          write files, switch prometheus to new, alertmanager to new, reload prometheus to new!, reload alertmanager to new, switch alertmanager to old, prometheus to old, reload alertmanager to old, reload prometheus to old, record
      reload alertmanager to new! -> reloading alertmanager: it did not answer: no; everything was rolled back to what ran before, and that is confirmed; runs prometheus old, alertmanager old
          write files, switch prometheus to new, alertmanager to new, reload prometheus to new, reload alertmanager to new!, switch alertmanager to old, prometheus to old, reload alertmanager to old, reload prometheus to old, record
      prometheus answers with new! -> confirming that prometheus evaluates the rules of revision new: it does not answer: no, after 60 s; everything was rolled back to what ran before, and that is confirmed; runs prometheus old, alertmanager old
          write files, switch prometheus to new, alertmanager to new, reload prometheus to new, reload alertmanager to new, switch alertmanager to old, prometheus to old, reload alertmanager to old, reload prometheus to old, record
      alertmanager answers with new! -> confirming that alertmanager runs the alertmanager.yml of revision new: it does not answer: no, after 60 s; everything was rolled back to what ran before, and that is confirmed; runs prometheus old, alertmanager old
          write files, switch prometheus to new, alertmanager to new, reload prometheus to new, reload alertmanager to new, switch alertmanager to old, prometheus to old, reload alertmanager to old, reload prometheus to old, record
      record! -> Error: no; warning: everything was rolled back to what ran before, and that is confirmed; runs prometheus old, alertmanager old
          write files, switch prometheus to new, alertmanager to new, reload prometheus to new, reload alertmanager to new, record!, switch alertmanager to old, prometheus to old, reload alertmanager to old, reload prometheus to old, record
      "
    `);
  });

  test('in an up that recreates a container', async () => {
    expect(await failing(recreate)).toMatchInlineSnapshot(`
      "
      write files! -> Error: no; runs prometheus old, alertmanager old
          write files!
      switch prometheus to new, alertmanager to new! -> Error: no; warning: everything was rolled back to what ran before, and that is confirmed; runs prometheus old, alertmanager old
          write files, switch prometheus to new, alertmanager to new!, record
      stop prometheus! -> Error: no; warning: everything was rolled back to what ran before, and that is confirmed; runs prometheus old, alertmanager old
          write files, switch prometheus to new, alertmanager to new, stop prometheus!, switch alertmanager to old, prometheus to old, reload alertmanager to old, reload prometheus to old, record
      alertmanager is ready with old! -> starting alertmanager: it was not ready in time: it does not answer: no; everything was rolled back to what ran before, and that is confirmed; runs alertmanager old, prometheus old
          write files, switch prometheus to new, alertmanager to new, stop prometheus, remove prometheus, create prometheus, start prometheus, switch alertmanager to old, prometheus to old, stop prometheus, remove prometheus, create prometheus, start prometheus, record
      remove prometheus! -> Error: no; warning: everything was rolled back to what ran before, and that is confirmed; runs prometheus old, alertmanager old
          write files, switch prometheus to new, alertmanager to new, stop prometheus, remove prometheus!, switch alertmanager to old, prometheus to old, start prometheus, reload alertmanager to old, record
      create prometheus! -> Error: no; warning: everything was rolled back to what ran before, and that is confirmed; runs alertmanager old, prometheus old
          write files, switch prometheus to new, alertmanager to new, stop prometheus, remove prometheus, create prometheus!, reload alertmanager to new, create prometheus, switch alertmanager to old, prometheus to old, start prometheus, reload alertmanager to old, record
      reload alertmanager to new! -> reloading alertmanager: it did not answer: no; everything was rolled back to what ran before, and that is confirmed; runs alertmanager old, prometheus old
          write files, switch prometheus to new, alertmanager to new, stop prometheus, remove prometheus, create prometheus, reload alertmanager to new!, start prometheus, switch alertmanager to old, prometheus to old, stop prometheus, remove prometheus, create prometheus, reload alertmanager to old, start prometheus, record
      start prometheus! -> Error: no; warning: everything was rolled back to what ran before, and that is confirmed; runs alertmanager old, prometheus old
          write files, switch prometheus to new, alertmanager to new, stop prometheus, remove prometheus, create prometheus, reload alertmanager to new, start prometheus!, switch alertmanager to old, prometheus to old, stop prometheus, remove prometheus, create prometheus, reload alertmanager to old, start prometheus, record
      prometheus is ready with new! -> starting prometheus: it was not ready in time: it does not answer: no; everything was rolled back to what ran before, and that is confirmed; runs alertmanager old, prometheus old
          write files, switch prometheus to new, alertmanager to new, stop prometheus, remove prometheus, create prometheus, reload alertmanager to new, start prometheus, switch alertmanager to old, prometheus to old, stop prometheus, remove prometheus, create prometheus, reload alertmanager to old, start prometheus, record
      alertmanager answers with new! -> confirming that alertmanager runs the alertmanager.yml of revision new: it does not answer: no, after 60 s; everything was rolled back to what ran before, and that is confirmed; runs alertmanager old, prometheus old
          write files, switch prometheus to new, alertmanager to new, stop prometheus, remove prometheus, create prometheus, reload alertmanager to new, start prometheus, switch alertmanager to old, prometheus to old, stop prometheus, remove prometheus, create prometheus, reload alertmanager to old, start prometheus, record
      prometheus answers with new! -> confirming that prometheus evaluates the rules of revision new: it does not answer: no, after 60 s; everything was rolled back to what ran before, and that is confirmed; runs alertmanager old, prometheus old
          write files, switch prometheus to new, alertmanager to new, stop prometheus, remove prometheus, create prometheus, reload alertmanager to new, start prometheus, switch alertmanager to old, prometheus to old, stop prometheus, remove prometheus, create prometheus, reload alertmanager to old, start prometheus, record
      record! -> Error: no; warning: everything was rolled back to what ran before, and that is confirmed; runs alertmanager old, prometheus old
          write files, switch prometheus to new, alertmanager to new, stop prometheus, remove prometheus, create prometheus, reload alertmanager to new, start prometheus, record!, switch alertmanager to old, prometheus to old, stop prometheus, remove prometheus, create prometheus, reload alertmanager to old, start prometheus, record
      "
    `);
  });

  test('in an up that removes a service', async () => {
    expect(await failing(removal)).toMatchInlineSnapshot(`
      "
      remove config writer! -> Error: no; warning: everything was rolled back to what ran before, and that is confirmed; runs prometheus old, alertmanager old
          remove config writer!, record
      create config writer! -> Error: no; warning: everything was rolled back to what ran before, and that is confirmed; runs prometheus old, alertmanager old
          remove config writer, create config writer!, record
      write files! -> Error: no; warning: everything was rolled back to what ran before, and that is confirmed; runs prometheus old, alertmanager old
          remove config writer, create config writer, write files!, record
      switch prometheus to new! -> Error: no; warning: everything was rolled back to what ran before, and that is confirmed; runs prometheus old, alertmanager old
          remove config writer, create config writer, write files, switch prometheus to new!, record
      prometheus is ready with old! -> starting prometheus: it was not ready in time: it does not answer: no; everything was rolled back to what ran before, and that is confirmed; runs prometheus old, alertmanager old
          remove config writer, create config writer, write files, switch prometheus to new, remove config writer, create config writer, switch prometheus to old, record
      reload prometheus to new! -> reloading prometheus: it did not answer: no; everything was rolled back to what ran before, and that is confirmed; runs prometheus old, alertmanager old
          remove config writer, create config writer, write files, switch prometheus to new, reload prometheus to new!, remove config writer, create config writer, switch prometheus to old, reload prometheus to old, record
      prometheus answers with new! -> confirming that prometheus evaluates the rules of revision new: it does not answer: no, after 60 s; everything was rolled back to what ran before, and that is confirmed; runs prometheus old, alertmanager old
          remove config writer, create config writer, write files, switch prometheus to new, reload prometheus to new, remove config writer, create config writer, switch prometheus to old, reload prometheus to old, record
      stop alertmanager! -> Error: no; warning: everything was rolled back to what ran before, and that is confirmed; runs prometheus old, alertmanager old
          remove config writer, create config writer, write files, switch prometheus to new, reload prometheus to new, stop alertmanager!, remove config writer, create config writer, switch prometheus to old, reload prometheus to old, record
      remove alertmanager! -> Error: no; warning: everything was rolled back to what ran before, and that is confirmed; runs prometheus old, alertmanager old
          remove config writer, create config writer, write files, switch prometheus to new, reload prometheus to new, stop alertmanager, remove alertmanager!, remove config writer, start alertmanager, create config writer, switch prometheus to old, reload prometheus to old, record
      record! -> Error: no; warning: everything was rolled back to what ran before, and that is confirmed; runs prometheus old, alertmanager old
          remove config writer, create config writer, write files, switch prometheus to new, reload prometheus to new, stop alertmanager, remove alertmanager, record!, remove config writer, create config writer, create alertmanager, switch alertmanager to old, prometheus to old, start alertmanager, reload prometheus to old, record
      "
    `);
  });
});

describe('an interrupt must be rolled back if anything running was changed, and report the state it left', () => {
  test('in a first up', async () => {
    expect(await interrupted(firstUp)).toMatchInlineSnapshot(`
      "
      create network -> AbortError: interrupted: created so far: the network demo; runs nothing
          create network
      create volume -> AbortError: interrupted: created so far: the network demo, 1 volume; runs nothing
          create network, create volume
      create config writer -> AbortError: interrupted: created so far: the network demo, 4 volumes; runs nothing
          create network, create volume, create config writer
      create prometheus -> AbortError: interrupted: created so far: the network demo, 4 volumes, the container of prometheus; runs prometheus created
          create network, create volume, create config writer, create prometheus, switch prometheus to new, alertmanager to new
      create alertmanager -> AbortError: interrupted: created so far: the network demo, 4 volumes, the containers of prometheus, alertmanager; runs prometheus created, alertmanager created
          create network, create volume, create config writer, create prometheus, create alertmanager, switch prometheus to new, alertmanager to new
      switch prometheus to new, alertmanager to new -> AbortError: interrupted: created so far: the network demo, 4 volumes, the containers of prometheus, alertmanager; runs prometheus created, alertmanager created
          create network, create volume, create config writer, create prometheus, create alertmanager, switch prometheus to new, alertmanager to new
      start prometheus -> AbortError: interrupted: created so far: the network demo, 4 volumes, the containers of prometheus, alertmanager; started so far: prometheus; runs prometheus new, alertmanager created
          create network, create volume, create config writer, create prometheus, create alertmanager, switch prometheus to new, alertmanager to new, start prometheus
      start alertmanager -> AbortError: interrupted: created so far: the network demo, 4 volumes, the containers of prometheus, alertmanager; started so far: prometheus, alertmanager; runs prometheus new, alertmanager new
          create network, create volume, create config writer, create prometheus, create alertmanager, switch prometheus to new, alertmanager to new, start prometheus, start alertmanager
      prometheus is ready with new -> AbortError: interrupted: created so far: the network demo, 4 volumes, the containers of prometheus, alertmanager; started so far: prometheus, alertmanager; runs prometheus new, alertmanager new
          create network, create volume, create config writer, create prometheus, create alertmanager, switch prometheus to new, alertmanager to new, start prometheus, start alertmanager
      alertmanager is ready with new -> AbortError: interrupted: created so far: the network demo, 4 volumes, the containers of prometheus, alertmanager; started so far: prometheus, alertmanager; runs prometheus new, alertmanager new
          create network, create volume, create config writer, create prometheus, create alertmanager, switch prometheus to new, alertmanager to new, start prometheus, start alertmanager
      prometheus answers with new -> AbortError: interrupted: created so far: the network demo, 4 volumes, the containers of prometheus, alertmanager; started so far: prometheus, alertmanager; runs prometheus new, alertmanager new
          create network, create volume, create config writer, create prometheus, create alertmanager, switch prometheus to new, alertmanager to new, start prometheus, start alertmanager
      alertmanager answers with new -> AbortError: interrupted: created so far: the network demo, 4 volumes, the containers of prometheus, alertmanager; started so far: prometheus, alertmanager; runs prometheus new, alertmanager new
          create network, create volume, create config writer, create prometheus, create alertmanager, switch prometheus to new, alertmanager to new, start prometheus, start alertmanager
      record -> AbortError: interrupted: the change was complete: revision new runs and is confirmed; runs prometheus new, alertmanager new
          create network, create volume, create config writer, create prometheus, create alertmanager, switch prometheus to new, alertmanager to new, start prometheus, start alertmanager, record
      "
    `);
  });

  test('in a reload of two servers', async () => {
    expect(await interrupted(reload)).toMatchInlineSnapshot(`
      "
      write files -> AbortError: interrupted: everything was rolled back to what ran before, and that is confirmed; runs prometheus old, alertmanager old
          write files, switch prometheus to new, alertmanager to new, switch alertmanager to old, prometheus to old, reload alertmanager to old, reload prometheus to old
      switch prometheus to new, alertmanager to new -> AbortError: interrupted: everything was rolled back to what ran before, and that is confirmed; runs prometheus old, alertmanager old
          write files, switch prometheus to new, alertmanager to new, switch alertmanager to old, prometheus to old, reload alertmanager to old, reload prometheus to old
      prometheus is ready with old -> AbortError: interrupted: everything was rolled back to what ran before, and that is confirmed; runs prometheus old, alertmanager old
          write files, switch prometheus to new, alertmanager to new, switch alertmanager to old, prometheus to old, reload alertmanager to old, reload prometheus to old
      alertmanager is ready with old -> AbortError: interrupted: everything was rolled back to what ran before, and that is confirmed; runs prometheus old, alertmanager old
          write files, switch prometheus to new, alertmanager to new, switch alertmanager to old, prometheus to old, reload alertmanager to old, reload prometheus to old
      reload prometheus to new -> AbortError: interrupted: everything was rolled back to what ran before, and that is confirmed; runs prometheus old, alertmanager old
          write files, switch prometheus to new, alertmanager to new, reload prometheus to new, reload alertmanager to new, switch alertmanager to old, prometheus to old, reload alertmanager to old, reload prometheus to old
      reload alertmanager to new -> AbortError: interrupted: everything was rolled back to what ran before, and that is confirmed; runs prometheus old, alertmanager old
          write files, switch prometheus to new, alertmanager to new, reload prometheus to new, reload alertmanager to new, switch alertmanager to old, prometheus to old, reload alertmanager to old, reload prometheus to old
      prometheus answers with new -> AbortError: interrupted: everything was rolled back to what ran before, and that is confirmed; runs prometheus old, alertmanager old
          write files, switch prometheus to new, alertmanager to new, reload prometheus to new, reload alertmanager to new, switch alertmanager to old, prometheus to old, reload alertmanager to old, reload prometheus to old
      alertmanager answers with new -> AbortError: interrupted: everything was rolled back to what ran before, and that is confirmed; runs prometheus old, alertmanager old
          write files, switch prometheus to new, alertmanager to new, reload prometheus to new, reload alertmanager to new, switch alertmanager to old, prometheus to old, reload alertmanager to old, reload prometheus to old
      record -> AbortError: interrupted: the change was complete: revision new runs and is confirmed; runs prometheus new, alertmanager new
          write files, switch prometheus to new, alertmanager to new, reload prometheus to new, reload alertmanager to new, record
      "
    `);
  });

  test('in an up that recreates a container', async () => {
    expect(await interrupted(recreate)).toMatchInlineSnapshot(`
      "
      write files -> AbortError: interrupted: everything was rolled back to what ran before, and that is confirmed; runs prometheus old, alertmanager old
          write files, switch prometheus to new, alertmanager to new, switch alertmanager to old, prometheus to old, reload alertmanager to old, reload prometheus to old
      switch prometheus to new, alertmanager to new -> AbortError: interrupted: everything was rolled back to what ran before, and that is confirmed; runs prometheus old, alertmanager old
          write files, switch prometheus to new, alertmanager to new, switch alertmanager to old, prometheus to old, reload alertmanager to old, reload prometheus to old
      stop prometheus -> AbortError: interrupted: everything was rolled back to what ran before, and that is confirmed; runs prometheus old, alertmanager old
          write files, switch prometheus to new, alertmanager to new, stop prometheus, switch alertmanager to old, prometheus to old, start prometheus, reload alertmanager to old
      alertmanager is ready with old -> AbortError: interrupted: everything was rolled back to what ran before, and that is confirmed; runs prometheus old, alertmanager old
          write files, switch prometheus to new, alertmanager to new, stop prometheus, switch alertmanager to old, prometheus to old, start prometheus, reload alertmanager to old
      remove prometheus -> AbortError: interrupted: everything was rolled back to what ran before, and that is confirmed; runs alertmanager old, prometheus old
          write files, switch prometheus to new, alertmanager to new, stop prometheus, remove prometheus, create prometheus, switch alertmanager to old, prometheus to old, start prometheus, reload alertmanager to old
      create prometheus -> AbortError: interrupted: everything was rolled back to what ran before, and that is confirmed; runs alertmanager old, prometheus old
          write files, switch prometheus to new, alertmanager to new, stop prometheus, remove prometheus, create prometheus, switch alertmanager to old, prometheus to old, stop prometheus, remove prometheus, create prometheus, reload alertmanager to old, start prometheus
      reload alertmanager to new -> AbortError: interrupted: everything was rolled back to what ran before, and that is confirmed; runs alertmanager old, prometheus old
          write files, switch prometheus to new, alertmanager to new, stop prometheus, remove prometheus, create prometheus, reload alertmanager to new, switch alertmanager to old, prometheus to old, stop prometheus, remove prometheus, create prometheus, reload alertmanager to old, start prometheus
      start prometheus -> AbortError: interrupted: everything was rolled back to what ran before, and that is confirmed; runs alertmanager old, prometheus old
          write files, switch prometheus to new, alertmanager to new, stop prometheus, remove prometheus, create prometheus, reload alertmanager to new, start prometheus, switch alertmanager to old, prometheus to old, stop prometheus, remove prometheus, create prometheus, reload alertmanager to old, start prometheus
      prometheus is ready with new -> AbortError: interrupted: everything was rolled back to what ran before, and that is confirmed; runs alertmanager old, prometheus old
          write files, switch prometheus to new, alertmanager to new, stop prometheus, remove prometheus, create prometheus, reload alertmanager to new, start prometheus, switch alertmanager to old, prometheus to old, stop prometheus, remove prometheus, create prometheus, reload alertmanager to old, start prometheus
      alertmanager answers with new -> AbortError: interrupted: everything was rolled back to what ran before, and that is confirmed; runs alertmanager old, prometheus old
          write files, switch prometheus to new, alertmanager to new, stop prometheus, remove prometheus, create prometheus, reload alertmanager to new, start prometheus, switch alertmanager to old, prometheus to old, stop prometheus, remove prometheus, create prometheus, reload alertmanager to old, start prometheus
      prometheus answers with new -> AbortError: interrupted: everything was rolled back to what ran before, and that is confirmed; runs alertmanager old, prometheus old
          write files, switch prometheus to new, alertmanager to new, stop prometheus, remove prometheus, create prometheus, reload alertmanager to new, start prometheus, switch alertmanager to old, prometheus to old, stop prometheus, remove prometheus, create prometheus, reload alertmanager to old, start prometheus
      record -> AbortError: interrupted: the change was complete: revision new runs and is confirmed; runs alertmanager new, prometheus new
          write files, switch prometheus to new, alertmanager to new, stop prometheus, remove prometheus, create prometheus, reload alertmanager to new, start prometheus, record
      "
    `);
  });
});

describe('a rollback that fails as well', () => {
  const failAll = (change: Change, ...calls: readonly string[]) =>
    attempt(change, (call) => {
      if (calls.includes(call)) throw new EngineError({ code: 'refused', doing: `the call ${call}`, message: 'no' });
    });

  test('must be reported, with what each server runs now', async () => {
    const text = [
      await failAll(reload, 'reload prometheus to new', 'reload prometheus to old'),
      await failAll(reload, 'alertmanager answers with new', 'switch alertmanager to old, prometheus to old'),
      await failAll(recreate, 'start prometheus'),
      await failAll(recreate, 'prometheus is ready with new', 'create prometheus'),
    ];
    expect(`\n${text.join('')}`).toMatchInlineSnapshot(`
      "
      reloading prometheus: it did not answer: no; everything was rolled back to what ran before, and that is confirmed; runs prometheus old, alertmanager old
          write files, switch prometheus to new, alertmanager to new, reload prometheus to new!, reload alertmanager to new, switch alertmanager to old, prometheus to old, reload alertmanager to old, reload prometheus to old!, record
      confirming that alertmanager runs the alertmanager.yml of revision new: it does not answer: no, after 60 s; rolling back to what ran before failed as well: no; alertmanager: it is running, with the files of revision new in place: its metrics page answers 0; prometheus: it is running, with the files of revision new in place: it still runs revision new; runs prometheus new, alertmanager new
          write files, switch prometheus to new, alertmanager to new, reload prometheus to new, reload alertmanager to new, switch alertmanager to old, prometheus to old!, record
      starting prometheus: no; rolling back to what ran before failed as well: starting prometheus: no; alertmanager: it runs revision old, as before; prometheus: its container is created; runs alertmanager old, prometheus created
          write files, switch prometheus to new, alertmanager to new, stop prometheus, remove prometheus, create prometheus, reload alertmanager to new, start prometheus!, switch alertmanager to old, prometheus to old, stop prometheus, remove prometheus, create prometheus, reload alertmanager to old, start prometheus!, record
      changing the stack demo: the call create prometheus: no; rolling back to what ran before failed as well: no; alertmanager: it runs revision old, as before; prometheus: it has no container now; runs alertmanager old
          write files, switch prometheus to new, alertmanager to new, stop prometheus, remove prometheus, create prometheus!, reload alertmanager to new, create prometheus!, switch alertmanager to old, prometheus to old, reload alertmanager to old, create prometheus!, switch prometheus to old, record
      "
    `);
  });
});
