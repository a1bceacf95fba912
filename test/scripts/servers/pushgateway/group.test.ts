import { describe, expect, test } from 'vitest';
import { groupNameProblem, groupPath, groupProblem, toGroup } from '../../../../scripts/servers/pushgateway/group.ts';

describe('the path of a group', () => {
  const cases: readonly (readonly [job: string, labels: Record<string, string>, path: string])[] = [
    ['link_job', {}, '/metrics/job/link_job'],
    ['snmp', { instance: '10.40.80.1' }, '/metrics/job/snmp/instance/10.40.80.1'],
    ['a b', { x: 'ä?#%+' }, '/metrics/job/a%20b/x/%C3%A4%3F%23%25%2B'],
    ['a', { path: '/var/tmp' }, '/metrics/job/a/path@base64/L3Zhci90bXA'],
    ['a/b', {}, '/metrics/job@base64/YS9i'],
    ['a', { x: '' }, '/metrics/job/a/x@base64/='],
    ['a', { x: '..' }, '/metrics/job/a/x@base64/Li4'],
    ['a', { x: '???>>>/' }, '/metrics/job/a/x@base64/Pz8_Pj4-Lw'],
    ['a', { 'my.label': '1' }, '/metrics/job/a/U__my_2e_label/1'],
    ['a', { U__my_2e_label: '1' }, '/metrics/job/a/U__U____my__2e__label/1'],
  ];
  test.each(cases)('%s %j must be %s', (job, labels, path) => {
    expect(groupPath(toGroup(job, labels), 'utf8')).toBe(path);
  });
});

test('to a Pushgateway without UTF-8 names, a name like an escaped one is a name', () => {
  expect(groupPath(toGroup('a', { U__a_2d_b: '1' }), 'legacy')).toBe('/metrics/job/a/U__a_2d_b/1');
});

describe('a label name of a group', () => {
  test.each(['a-b', 'my.label', '1a', 'ä', 'a b', 'a/b', 'a:b'])('%s needs a Pushgateway with UTF-8 names', (name) => {
    const group = toGroup('a', { [name]: '1' });
    expect(groupNameProblem(group, 'legacy')?.message).toContain(`does not accept the label name "${name}"`);
    expect(groupNameProblem(group, 'utf8')).toBeUndefined();
  });

  test('with a character that the Pushgateway cannot read is refused', () => {
    expect(groupNameProblem(toGroup('a', { '\u{10ffff}': '1' }), 'utf8')).toBeDefined();
  });
});

describe('a group', () => {
  test.each([
    ['', {}, 'the job has no name'],
    ['a', { job: 'b' }, 'job cannot be an additional label: it is the name of the job'],
    ['a', { __x: '1' }, 'labels that begin with __, such as __x, are reserved for Prometheus'],
    ['a', { '': '1' }, 'a label has no name'],
    ['a', { instance: '' }, undefined],
  ])('of job %j and %j must be rejected with: %s', (job, labels, why) => {
    expect(groupProblem(job, Object.entries(labels))).toBe(why);
  });

  test('must not have a label twice', () => {
    expect(
      groupProblem('a', [
        ['x', '1'],
        ['x', '2'],
      ]),
    ).toBe('the label x is given twice');
  });
});
