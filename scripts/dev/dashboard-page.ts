import { setTimeout as sleep } from 'node:timers/promises';
import type { Page } from './chromium.ts';

/** What a browser shows of a panel. */
export interface PanelView {
  readonly title: string;
  /** `title` or `legend`, where it does not fit. */
  readonly cut: readonly string[];
  /** Whether Grafana marks the panel with an error. */
  readonly hasError: boolean;
  /** The background of a stat; empty for other panels. */
  readonly colour: 'red' | 'orange' | 'green' | 'grey' | '';
  readonly text: string;
}

/** Opens a dashboard in a window as high as the dashboard, and returns its panels once they have their data. */
export async function openDashboard(page: Page, url: string, width: number): Promise<readonly PanelView[]> {
  await page.open(url, { width, height: 1200 });
  await settled(page);
  const height = await page.evaluate<number>('document.documentElement.scrollHeight');
  await page.resize({ width, height });
  await settled(page);
  return page.evaluate<readonly PanelView[]>(`(${viewPanels})()`);
}

/** Waits until the page has not changed for two seconds. */
async function settled(page: Page): Promise<void> {
  const deadline = Date.now() + 60_000;
  let before = '';
  for (let quiet = 0; quiet < 4; await sleep(500)) {
    const now = await page.evaluate<string>(
      `document.readyState + document.querySelectorAll('[aria-label="Panel loading bar"], [data-testid="Spinner"]').length + document.body?.innerText`,
    );
    quiet = now === before && now.length > 200 ? quiet + 1 : 0;
    before = now;
    if (Date.now() > deadline) throw new Error(`the page does not come to rest: ${now.slice(0, 300)}`);
  }
}

/** Runs in the page. */
const viewPanels = `() => {
  const overflows = (element) => element !== null && element.scrollWidth > element.clientWidth + 1;
  const scrolls = (element, panel) => {
    for (let box = element; box !== null && box !== panel; box = box.parentElement) {
      if (box.scrollHeight > box.clientHeight + 1 && /auto|scroll/.test(getComputedStyle(box).overflowY)) return true;
    }
    return false;
  };
  const colourOf = (panel) => {
    // A panel with several links is a button.
    for (const part of panel.querySelectorAll('[style*="linear-gradient"]')) {
      const [, red, green] = (/rgb\\((\\d+), (\\d+)/.exec(part.style.background) ?? []).map(Number);
      if (red === undefined) continue;
      if (Math.abs(green - red) < 20) return 'grey';
      return green > red ? 'green' : green > 100 ? 'orange' : 'red';
    }
    return '';
  };
  return [...document.querySelectorAll('section[data-testid^="data-testid Panel header"]')].map((panel) => {
    const heading = panel.querySelector('h2');
    const legend = panel.querySelector('[data-testid^="data-testid VizLegend series"]');
    return {
      title: heading?.innerText ?? '',
      cut: [...(overflows(heading) ? ['title'] : []), ...(legend !== null && scrolls(legend, panel) ? ['legend'] : [])],
      hasError: panel.querySelector('[data-testid^="data-testid Panel status"]') !== null,
      colour: colourOf(panel),
      text: panel.innerText,
    };
  });
}`;
