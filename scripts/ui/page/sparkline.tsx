import { useCallback, useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import type { EdgeHistory } from '../page-state.ts';

/** A moving line without axes; the number beside it says its value, so that screen readers need not read it. */
export function Sparkline({
  points,
  spanSeconds,
}: {
  readonly points: EdgeHistory | undefined;
  readonly spanSeconds: number;
}) {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | undefined>(undefined);
  const latest = useRef(points);
  latest.current = points;

  const move = useCallback((): void => {
    const end = (latest.current?.at.at(-1) ?? 0) / 1_000;
    plot.current?.batch(() => {
      plot.current?.setData(data(latest.current), false);
      plot.current?.setScale('x', { min: end - spanSeconds, max: end });
    });
  }, [spanSeconds]);

  useEffect(() => {
    const element = box.current;
    if (element === null) return;
    const make = (): void => {
      plot.current?.destroy();
      plot.current = new uPlot(options(element), data(latest.current), element);
      move();
    };
    make();
    const resized = new ResizeObserver(() => {
      const [width, height] = [element.clientWidth, element.clientHeight];
      if (plot.current !== undefined && (plot.current.width !== width || plot.current.height !== height)) {
        plot.current.setSize({ width, height });
      }
    });
    resized.observe(element);
    const dark = matchMedia('(prefers-color-scheme: dark)');
    dark.addEventListener('change', make);
    return () => {
      resized.disconnect();
      dark.removeEventListener('change', make);
      plot.current?.destroy();
      plot.current = undefined;
    };
    // The line is made once; the effect below moves it.
  }, [move]);

  useEffect(move, [points, move]);

  return <div class="spark" ref={box} aria-hidden="true" />;
}

function data(points: EdgeHistory | undefined): uPlot.AlignedData {
  return [(points?.at ?? []).map((at) => at / 1_000), [...(points?.rate ?? [])]];
}

function options(element: HTMLElement): uPlot.Options {
  const color = getComputedStyle(element).color;
  return {
    width: element.clientWidth,
    height: element.clientHeight,
    padding: [2, 0, 1, 0],
    cursor: { show: false },
    legend: { show: false },
    axes: [{ show: false }, { show: false }],
    scales: {
      x: { time: false },
      // From zero, so that a small change does not look like a large one.
      y: { range: (_, _min, max) => [0, Math.max(max ?? 0, Number.MIN_VALUE) * 1.1] },
    },
    series: [
      {},
      { stroke: color, width: 1.25, points: { show: false }, fill: `color-mix(in srgb, ${color} 14%, transparent)` },
    ],
  };
}
