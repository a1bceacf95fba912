const decimal = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;
const infinity = /^([+-]?)inf(?:inity)?$/i;

/**
 * A number as the text format takes it, undefined when it is none. That is Go's strconv.ParseFloat without
 * hexadecimal and without underscores, which expfmt's parseFloat turns away first: `NaN` takes no sign, `Inf` may be
 * spelt `infinity`, case does not matter, and a number beyond the largest float is an error instead of an infinity.
 */
export function parseFloat64(text: string): number | undefined {
  const infinite = infinity.exec(text);
  if (infinite !== null) return infinite[1] === '-' ? -Infinity : Infinity;
  if (/^nan$/i.test(text)) return NaN;
  if (!decimal.test(text)) return undefined;
  const value = Number(text);
  return Number.isFinite(value) ? value : undefined;
}

/** A number as Prometheus writes it. */
export function formatFloat64(value: number): string {
  if (value === Infinity) return '+Inf';
  if (value === -Infinity) return '-Inf';
  return Object.is(value, -0) ? '-0' : String(value);
}
