import { describe, expect, test } from 'vitest';
import { askToTakeOver } from '../../../../scripts/cli/commands/take-over.ts';
import { checkOrigin } from '../../../../scripts/plan/origin.ts';
import { misuse } from '../../../../scripts/util/misuse.ts';
import { InputError } from '../../../../scripts/util/stack-error.ts';

const origin = { host: 'build1', folder: '/srv/new', file: 'stack.yml' };

describe('a change of a stack that is managed from a different file', () => {
  const change = async (takeOver: boolean) => {
    await checkOrigin({ stack: 'shop', origin, current: { ...origin, host: 'laptop' }, takeOver });
    return 'changed';
  };
  const answering = (answer: boolean) => {
    const questions: string[] = [];
    const confirm = async (question: string) => questions.push(question) > 0 && answer;
    return { questions, confirm };
  };

  test('must be made once the user agrees, or has agreed in advance', async () => {
    const asked = answering(true);
    expect(await askToTakeOver(asked, undefined, change)).toBe('changed');
    expect(asked.questions).toEqual([
      'changing the stack shop: it is managed from /srv/new/stack.yml on laptop, not from /srv/new/stack.yml on build1; change it from here?',
    ]);
    const unasked = answering(false);
    expect(await askToTakeOver(unasked, true, change)).toBe('changed');
    expect(unasked.questions).toEqual([]);
  });

  test('must be refused with the reason when the user does not agree, or cannot be asked', async () => {
    const noTerminal = { confirm: () => Promise.reject(new InputError([misuse('no terminal')])) };
    for (const context of [answering(false), noTerminal]) {
      await expect(askToTakeOver(context, undefined, change)).rejects.toMatchObject({
        why: expect.stringContaining('it is managed from /srv/new/stack.yml on laptop'),
        tryThis: expect.stringContaining('--yes'),
      });
    }
  });

  test('must not be asked about for other errors', async () => {
    const asked = answering(true);
    const fail = () => Promise.reject(new Error('no engine'));
    await expect(askToTakeOver(asked, undefined, fail)).rejects.toThrow('no engine');
    expect(asked.questions).toEqual([]);
  });
});
