#!/usr/bin/env node
import { join } from 'node:path';
import { runCompiled } from './util/run-compiled.ts';
import { userCache } from './util/user-cache.ts';
import { version } from './util/version.ts';

/**
 * Starts the built program from V8's code cache. `--version` does not load it.
 */
const [, , ...argv] = process.argv;

if (argv.length === 1 && (argv[0] === '--version' || argv[0] === '-V')) {
  process.stdout.write(`${version()}\n`);
} else {
  // Each command uses different parts of the program, so each has its own compiled code.
  const command = argv.find((word) => /^[a-z]{2,16}$/.test(word)) ?? 'other';
  const cache = userCache(process.env);
  runCompiled(join(__dirname, 'program.cjs'), cache && join(cache, 'compiled'), command);
}
