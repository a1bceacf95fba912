import * as z from 'zod';
import { run } from './cli/run.ts';
import { world } from './cli/this-process.ts';

// Each schema is used once or twice in a run: compiling it to code of its own takes longer than that saves.
z.config({ jitless: true });

void run(world(process.argv.slice(2))).then((exitCode) => process.exit(exitCode));
