import { describe, expect, test } from 'vitest';
import { secretTextProblem } from '../../../stack/secrets/secret-text.ts';

describe('the text of a secret', () => {
  test.each([
    ['api_url', 'https://hooks.slack.com/services/T0/B0/XX'],
    ['url', 'http://user:p%40ss@10.0.0.1:8080/hook?token=a b'],
    ['credentials', 'eyJhbGciOi.J9+/='],
    ['password', ' p\u00e4ss w\u00f6rd '],
    ['key', '-----BEGIN PRIVATE KEY-----\nMII\n-----END PRIVATE KEY-----'],
    ['chat_id', '-1001234567890'],
    ['url', ''],
  ])('below %s may be %j', (key, text) => {
    expect(secretTextProblem(text, key)).toBeUndefined();
  });

  test.each([
    ['credentials', 'token\nanother', 'contains a line break or another control character'],
    ['bearer_token', 'token\r', 'contains a line break or another control character'],
    ['api_url', 'hooks.slack.com/services', 'is not an http or https URL'],
    ['webhook_url', 'ftp://a/', 'is not an http or https URL'],
    ['url', 'http://', 'is not an http or https URL'],
    ['url', 'http://a b/', 'is not an http or https URL'],
    ['url', 'http://a/%zz', 'is not an http or https URL'],
    ['url', 'http://a/ ', 'is not an http or https URL'],
    ['url', 'http://a:port/', 'is not an http or https URL'],
    ['chat_id', 'my-chat', 'is not a number'],
  ])('below %s must not be %j, and must not be printed', (key, text, because) => {
    const problem = secretTextProblem(text, key);
    expect(problem?.because).toBe(because);
    expect(JSON.stringify(problem)).not.toContain(text);
  });
});
