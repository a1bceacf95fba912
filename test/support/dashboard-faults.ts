import type { PanelView } from '../../scripts/dev/dashboard-page.ts';

/** Panels that show an error, and in a wide window what does not fit. */
export function faultsOf(panels: readonly PanelView[], isWide: boolean): readonly string[] {
  return panels.flatMap(({ title, cut, hasError }) => [
    ...(hasError ? [`${title} shows an error`] : []),
    ...(isWide ? cut.map((part) => `${title}: its ${part} is cut`) : []),
  ]);
}
