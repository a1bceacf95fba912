import { argv } from 'zx';
import { benchRender } from './bench/render.ts';
import { benchStart } from './bench/start.ts';
import { benchUp } from './bench/up.ts';
import { benchWatch } from './bench/watch.ts';

/** Measures promstack beside what it is made of: `npm run bench [-- up start render watch]`; ROUNDS=7 runs of each. */
const benches: Readonly<Record<string, () => Promise<void>>> = {
  up: benchUp,
  start: benchStart,
  render: benchRender,
  watch: benchWatch,
};

for (const name of argv._.length > 0 ? argv._ : Object.keys(benches)) {
  const bench = benches[name];
  if (bench === undefined)
    throw new Error(`there is no bench "${name}": choose from ${Object.keys(benches).join(', ')}`);
  await bench();
}
