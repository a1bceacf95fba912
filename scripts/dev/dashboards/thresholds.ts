import { MappingType, type Threshold, type ValueMapping } from '@grafana/grafana-foundation-sdk/dashboard';

/** Grafana's colours by what they mean: red asks the user to act, orange to look. */
export const colour = {
  critical: 'red',
  warning: 'orange',
  ok: 'green',
  none: 'text',
  info: 'blue',
} as const;

/** Red from a value on. */
export function redFrom(value: number): readonly Threshold[] {
  return [
    { value: null, color: colour.ok },
    { value, color: colour.critical },
  ];
}

/** Red below a value. */
export function redBelow(value: number): readonly Threshold[] {
  return [
    { value: null, color: colour.critical },
    { value, color: colour.ok },
  ];
}

/** Orange from a value on. */
export function orangeFrom(value: number): readonly Threshold[] {
  return [
    { value: null, color: colour.ok },
    { value, color: colour.warning },
  ];
}

/** Orange from one value on, red from the next. */
export function orangeThenRed(warning: number, critical: number): readonly Threshold[] {
  return [
    { value: null, color: colour.ok },
    { value: warning, color: colour.warning },
    { value: critical, color: colour.critical },
  ];
}

/** For a value that is neither good nor bad. */
export const neutral: readonly Threshold[] = [{ value: null, color: colour.none }];

/** A string shown in place of a value, in a colour. */
export function textFor(value: number | string, text: string, color: string): ValueMapping {
  return { type: MappingType.ValueToText, options: { [value]: { text, color } } };
}

/** For series of 0 (bad, red) and 1 (good, green): the word shown for each. */
export function zeroOrOne(bad: string, good: string) {
  return { thresholds: redBelow(1), mappings: [textFor(0, bad, colour.critical), textFor(1, good, colour.ok)] };
}

/** The severities of the shipped rules. */
export const severities: readonly ValueMapping[] = [
  textFor('critical', 'critical', colour.critical),
  textFor('warning', 'warning', colour.warning),
  textFor('info', 'info', colour.info),
];
