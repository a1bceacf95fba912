import {
  MappingType,
  SpecialValueMatch,
  type Threshold,
  type ValueMapping,
} from '@grafana/grafana-foundation-sdk/dashboard';

/** Grafana's colours by meaning: red means act, orange means look. */
export const colour = {
  critical: 'red',
  warning: 'orange',
  ok: 'green',
  none: 'text',
  unknown: '#6e7076',
  info: 'blue',
} as const;

/** Red from a value upwards. */
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

/** Orange from a value upwards. */
export function orangeFrom(value: number): readonly Threshold[] {
  return [
    { value: null, color: colour.ok },
    { value, color: colour.warning },
  ];
}

/** Orange from the first value upwards, red from the second. */
export function orangeThenRed(warning: number, critical: number): readonly Threshold[] {
  return [
    { value: null, color: colour.ok },
    { value: warning, color: colour.warning },
    { value: critical, color: colour.critical },
  ];
}

/** For values that are neither good nor bad. */
export const neutral: readonly Threshold[] = [{ value: null, color: colour.none }];

/** Shows a text in place of a value, in a colour. */
export function textFor(value: number | string, text: string, color: string): ValueMapping {
  return { type: MappingType.ValueToText, options: { [value]: { text, color } } };
}

/** Shows a text where there is no value, which otherwise has the colour of the lowest threshold. */
export function textForNull(text: string, color: string): ValueMapping {
  return {
    type: MappingType.SpecialValue,
    options: { match: SpecialValueMatch.NullAndNan, result: { text, color } },
  };
}

/** Texts for series of 0 (bad, red) and 1 (good, green). */
export function zeroOrOne(bad: string, good: string) {
  return { thresholds: redBelow(1), mappings: [textFor(0, bad, colour.critical), textFor(1, good, colour.ok)] };
}

/** The severities of the shipped rules. */
export const severities: readonly ValueMapping[] = [
  textFor('critical', 'critical', colour.critical),
  textFor('warning', 'warning', colour.warning),
  textFor('info', 'info', colour.info),
];
