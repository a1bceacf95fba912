import { isMap, isScalar, isSeq, type Pair } from 'yaml';
import type { StackDraft } from './stack-draft.ts';
import { isEmpty, keyOf, placeOf } from './yaml-tree.ts';

/** What the values of keys are; more than one where a key has several forms. */
export type Forms = Readonly<Record<string, 'list' | 'mapping' | 'string' | 'list or mapping' | 'string or list'>>;

/** Whether a value has the form that its key takes; one without is reported as a mistake. */
export function hasForm(pair: Pair, forms: Forms, what: string, { findings }: Pick<StackDraft, 'findings'>): boolean {
  const key = keyOf(pair);
  const form = forms[key];
  const { value } = pair;
  if (form === undefined || isEmpty(value)) return true;
  const actual = isMap(value) ? 'mapping' : isSeq(value) ? 'list' : isScalar(value) ? 'string' : '';
  if (form.split(' or ').includes(actual)) return true;
  findings.wrong(`${key} of ${what} is not a ${form}`, placeOf(value) ?? placeOf(pair.key));
  return false;
}
