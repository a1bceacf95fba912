import { closest } from '../../../stack/values/closest.ts';
import { andList, counted } from '../../../stack/values/words.ts';
import { type ReceiverTest, realReceivers, testReceiver } from '../../inspect/test-receiver.ts';
import { misuse } from '../../util/misuse.ts';
import { InputError } from '../../util/stack-error.ts';
import { type Context, exitCodes } from '../context.ts';
import { hintByName } from '../globals.ts';
import type { Colours } from '../terminal-output.ts';
import { requireAlertmanager } from './arguments.ts';
import { renderAndConnect } from './stages.ts';

/** Notifies the named receivers, or after a question all, of a test alert, and prints what became of it. */
export async function testReceivers(
  context: Context,
  options: {
    readonly named: readonly string[] | undefined;
    readonly yes?: true | undefined;
    readonly timeoutMs: number;
  },
) {
  const { named, yes, timeoutMs } = options;
  const { clock, signal, stdout, stackName } = context;
  const { rendering, engine } = await renderAndConnect(context, { needsSecrets: false });
  await using _engine = engine;
  requireAlertmanager(rendering.config);
  const known = realReceivers(rendering);
  const unknown = (named ?? []).filter((name) => !known.includes(name));
  if (unknown.length > 0) throw new InputError(unknown.map((name) => unknownReceiver(name, known)));
  const receivers = [...new Set(named ?? known)];
  if (receivers.length === 0)
    throw new InputError([misuse('no receiver of this stack notifies anybody', 'add one to alertmanager.receivers')]);
  if (named === undefined && yes !== true) {
    const question = `Notify ${counted(receivers.length, 'receiver')} of a test alert: ${andList(receivers, '')}?`;
    if (!(await context.confirm(question, '--yes'))) return { json: [], code: exitCodes.fine };
  }
  const tests: ReceiverTest[] = [];
  for (const receiver of receivers) {
    const results = await testReceiver(receiver, { engine, rendering, timeoutMs, clock, signal });
    stdout.write(hintByName(results.map((result) => printTest(result, stdout.colours)).join(''), stackName));
    tests.push(...results);
  }
  const isFine = tests.every(({ outcome, resolution }) => outcome === 'delivered' && resolution !== 'failed');
  return {
    json: tests.map(({ tryThis, ...test }) => ({ ...test, try: tryThis })),
    code: isFine ? exitCodes.fine : exitCodes.refused,
  };
}

const resolutions = {
  delivered: ' and its resolution',
  failed: ', but not its resolution',
  'not sent': '; its resolution is not sent there',
} as const;

function printTest(test: ReceiverTest, { green, red }: Colours): string {
  const { receiver, integration, outcome, resolution, why, tryThis } = test;
  if (outcome === 'delivered' && resolution !== 'failed')
    return `${green('✔')} ${receiver} via ${integration}: accepted the alert${resolutions[resolution]}\n`;
  const name = `${receiver} via ${integration}`;
  const reason =
    outcome === 'delivered'
      ? `${name}: accepted the alert${resolutions[resolution]}`
      : why?.startsWith('the receiver ') === true
        ? why
        : `${name}: not delivered: ${why}`;
  return `${red('✖')} ${reason}\n${tryThis === undefined ? '' : `    try: ${tryThis}\n`}`;
}

function unknownReceiver(name: string, known: readonly string[]) {
  const near = closest(name, known);
  const hint = near === undefined ? `those that notify somebody: ${andList(known, 'none')}` : `did you mean ${near}?`;
  return misuse(`this stack has no receiver ${name} that notifies somebody`, hint);
}
