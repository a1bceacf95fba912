import { world } from './cli/process-world.ts';
import { run } from './cli/run.ts';

void run(world(process.argv.slice(2))).then((exitCode) => process.exit(exitCode));
