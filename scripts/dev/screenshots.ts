import { mkdir, writeFile } from 'node:fs/promises';
import { argv, echo } from 'zx';
import { withPage } from './chromium.ts';
import { openDashboard } from './dashboard-page.ts';
import { shippedDashboards } from './dashboards/index.ts';

// Takes pictures of the shipped dashboards of a running Grafana that visitors may see: `npm run screenshots -- URL FOLDER`.
const [url = 'http://localhost:3000', folder = 'screenshots'] = argv._;

await mkdir(folder, { recursive: true });
await withPage(async (page) => {
  for (const { name, dashboard } of shippedDashboards()) {
    for (const width of [1366, 1600, 400]) {
      const panels = await openDashboard(page, `${url}/d/${dashboard.uid}`, width);
      const file = `${folder}/${name}-${width}.png`;
      await writeFile(file, await page.screenshot());
      const faults = panels.flatMap(({ title, cut, hasError }) => [
        ...cut.map((part) => `${title}: ${part} cut`),
        ...(hasError ? [`${title}: error`] : []),
      ]);
      echo(`${file}: ${panels.length} panels${faults.map((fault) => `\n  ${fault}`).join('')}`);
    }
  }
});
