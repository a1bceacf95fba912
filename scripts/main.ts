#!/usr/bin/env node
import { version } from './util/version.ts';

const [, , ...argv] = process.argv;

if (argv.length === 1 && (argv[0] === '--version' || argv[0] === '-V')) {
  // Answered before anything else is loaded: it is asked often and should take no time.
  process.stdout.write(`${version()}\n`);
} else {
  const { run } = await import('./cli/run.ts');
  const { world } = await import('./cli/process-world.ts');
  process.exit(await run(world(argv)));
}
