import * as z from 'zod';
import { counted } from '../../../stack/values/words.ts';
import type { Engine } from '../../engine/engine.ts';
import { type DoctorFinding, examine } from '../../inspect/doctor.ts';
import { listStacks } from '../../inspect/stacks.ts';
import { notFound } from '../../state/find-stack.ts';
import { InputError } from '../../util/stack-error.ts';
import { type Context, exitCodes } from '../context.ts';
import { defineCommand } from './command.ts';
import { connectEngine, stackNameOf } from './find-stack.ts';

export const command = defineCommand({
  details:
    'Goes through what commonly goes wrong on an engine: its version, cgroup limits, the disk, the clock, names and ' +
    'connections between containers, published ports, and volumes and networks of former stacks. Works without a stack.yml, and ' +
    'looks at an engine through a container that runs. Changes and deletes nothing; exits 1 when something is wrong.',
  examples: [
    { line: 'doctor', what: 'look at the engine of this stack' },
    { line: 'doctor -p shop', what: 'through the containers of the stack shop, from any folder' },
  ],
  json: () =>
    z.strictObject({
      findings: z.array(
        z.strictObject({
          check: z.string(),
          verdict: z.enum(['fine', 'notice', 'wrong', 'unknown']),
          text: z.string(),
          try: z.string().optional(),
        }),
      ),
    }),
  run: async (context) => {
    await using engine = await connectEngine(context);
    const { clock, signal, stdout } = context;
    const stack = await stackIfAny(context);
    if (context.stackName !== undefined) await requireStack(engine, context.stackName);
    const findings = await examine({ engine, stack, now: () => clock.now(), signal });
    context.result({ findings: findings.map(({ tryThis, ...finding }) => ({ ...finding, try: tryThis })) });
    stdout.write(findings.map((finding) => printFinding(finding, stdout)).join(''));
    const wrong = findings.filter(({ verdict }) => verdict === 'wrong').length;
    const { green, red } = stdout.colours;
    stdout.write(wrong === 0 ? `${green('✔')} nothing is wrong\n` : `${red('✖')} ${counted(wrong, 'problem')}\n`);
    return wrong === 0 ? exitCodes.fine : exitCodes.refused;
  },
});

/** Throws a StackError for a stack of which the engine has nothing; one that is stopped still has volumes. */
async function requireStack(engine: Engine, stack: string): Promise<void> {
  const isThere = (await listStacks(engine)).some(({ name }) => name === stack);
  if (!isThere) throw await notFound(engine, stack);
}

async function stackIfAny(context: Context<never>): Promise<string | undefined> {
  if (context.stackName !== undefined) return (await stackNameOf(context)).stack;
  try {
    return (await stackNameOf({ ...context, report: () => undefined })).stack;
  } catch (error) {
    if (error instanceof InputError) return undefined;
    throw error;
  }
}

function printFinding({ check, verdict, text, tryThis }: DoctorFinding, { colours }: Context['stdout']): string {
  const { green, yellow, red, dim } = colours;
  const mark = { fine: green('✔'), notice: yellow('▲'), wrong: red('✖'), unknown: dim('-') }[verdict];
  const hint = tryThis === undefined ? '' : `    try: ${tryThis}\n`;
  return `${mark} ${check.padEnd('left over'.length)}  ${text}\n${hint}`;
}
