import { MappingType, type Threshold, type ValueMapping } from '@grafana/grafana-foundation-sdk/dashboard';

/** Grafana's colours by what they ask of the user: red asks to act, orange to look, green for nothing. */
export const colour = {
  act: 'red',
  look: 'orange',
  well: 'green',
  plain: 'text',
  calm: 'blue',
} as const;

/** Red from a value on. */
export function redFrom(value: number): readonly Threshold[] {
  return [
    { value: null, color: colour.well },
    { value, color: colour.act },
  ];
}

/** Red below a value. */
export function redBelow(value: number): readonly Threshold[] {
  return [
    { value: null, color: colour.act },
    { value, color: colour.well },
  ];
}

/** Orange from a value on. */
export function orangeFrom(value: number): readonly Threshold[] {
  return [
    { value: null, color: colour.well },
    { value, color: colour.look },
  ];
}

/** Orange from one value on, red from the next. */
export function orangeThenRed(look: number, act: number): readonly Threshold[] {
  return [
    { value: null, color: colour.well },
    { value: look, color: colour.look },
    { value: act, color: colour.act },
  ];
}

/** No judgement: a value that is neither good nor bad. */
export const noJudgement: readonly Threshold[] = [{ value: null, color: colour.plain }];

/** A string shown in place of a value, in a colour. */
export function say(value: number | string, text: string, color: string): ValueMapping {
  return { type: MappingType.ValueToText, options: { [value]: { text, color } } };
}

/** For series of 0 (bad, red) and 1 (good, green): the word shown for each. */
export function zeroOrOne(bad: string, good: string) {
  return { thresholds: redBelow(1), mappings: [say(0, bad, colour.act), say(1, good, colour.well)] };
}

/** The severities of the shipped rules, in the colours of what they ask. */
export const severities: readonly ValueMapping[] = [
  say('critical', 'critical', colour.act),
  say('warning', 'warning', colour.look),
  say('info', 'info', colour.calm),
];
