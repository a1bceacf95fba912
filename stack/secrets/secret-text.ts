/** Keys with multi-line values: certificates and private keys. */
const multiline = /^(?:ca|cert|key|client_certificate_key)$/;

/** The problem of a secret's text, without showing it; undefined when it looks valid. */
export function secretTextProblem(
  text: string,
  key: string,
): { readonly because: string; readonly hint: string } | undefined {
  // An unreadable secret is empty, and has been reported already.
  if (text === '' || multiline.test(key)) return undefined;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what a header or a URL cannot contain.
  if (/[\u0000-\u001f\u007f]/.test(text)) {
    return { because: 'contains a line break or another control character', hint: 'a secret here is a single line' };
  }
  if (key === 'chat_id' && !/^-?\d+$/.test(text)) return { because: 'is not a number', hint: 'such as -1001234567890' };
  if (/(?:^|_)url$/.test(key) && !isUrl(text)) {
    return { because: 'is not an http or https URL', hint: 'such as https://hooks.example.com/services/T0/B0/XX' };
  }
  return undefined;
}

/** Like Alertmanager (config.parseURL): with a host, and valid for Go's net/url. */
function isUrl(text: string): boolean {
  if (!/^https?:\/\/[^\s/?#]/i.test(text) || /%(?![\da-f]{2})/i.test(text) || text !== text.trim()) return false;
  return URL.canParse(text);
}
