import * as z from 'zod';
import { counted } from '../../../stack/values/words.ts';
import { type DoctorFinding, examine } from '../../inspect/doctor.ts';
import { InputError } from '../../util/stack-error.ts';
import { type Context, exitCodes } from '../context.ts';
import { defineCommand } from './command.ts';
import { connectEngine, stackNameOf } from './find-stack.ts';

export const command = defineCommand({
  details:
    'Goes through what commonly goes wrong on an engine: its version, cgroup limits, the disk, the clock, names and ' +
    'connections between containers, published ports, and volumes and networks of former stacks. Works without a stack.yml, and ' +
    'looks at an engine through a container that runs. Changes and deletes nothing; exits 1 when something is wrong.',
  examples: [{ line: 'doctor', what: 'look at the engine of this stack' }],
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
    const findings = await examine({ engine, stack: await stackIfAny(context), now: () => clock.now(), signal });
    context.result({ findings: findings.map(({ tryThis, ...finding }) => ({ ...finding, try: tryThis })) });
    stdout.write(findings.map((finding) => printFinding(finding, stdout)).join(''));
    const wrong = findings.filter(({ verdict }) => verdict === 'wrong').length;
    const { green, red } = stdout.colours;
    stdout.write(wrong === 0 ? `${green('✔')} nothing is wrong\n` : `${red('✖')} ${counted(wrong, 'problem')}\n`);
    return wrong === 0 ? exitCodes.fine : exitCodes.refused;
  },
});

async function stackIfAny(context: Context<never>): Promise<string | undefined> {
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
