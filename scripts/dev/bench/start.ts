import { execa } from 'execa';
import { packageRoot } from '../../util/package-root.ts';
import { alternate, printTable, promstack, ratio, rounds } from './measure.ts';

/** The start of the program, beside a program that does nothing. */
export async function benchStart(): Promise<void> {
  const cwd = packageRoot();
  const series = await alternate(
    [
      { name: 'promstack --version', run: () => promstack(['--version'], { cwd }) },
      { name: 'node -e 0', run: () => execa('node', ['-e', '0'], { cwd }) },
    ],
    rounds * 3,
  );
  printTable('start-up', series);
  ratio(series, 'promstack --version', 'node -e 0', 1.5);
}
