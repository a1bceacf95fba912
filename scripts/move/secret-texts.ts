import { isPlainSecret } from '../config/plain-secrets.ts';
import { mask, redactUrls } from '../util/redaction.ts';

/** Addresses of services whose path is a secret. */
const webhook =
  /(https:\/\/(?:hooks\.slack\.com\/(?:services|workflows)|discord(?:app)?\.com\/api\/webhooks|[\w.-]+\.webhook\.office\.com|hooks\.zapier\.com\/hooks|maker\.ifttt\.com\/trigger|events\.pagerduty\.com\/integration|open\.feishu\.cn\/open-apis\/bot\/v2\/hook)\/)[\w./@-]+/gi;

/** `key: value` of YAML or of a comment; a value that is a template is none. */
const keyValue =
  /^(\s*(?:#+\s*)?(?:-\s+)?["']?([\w.-]+)["']?\s*:\s+)(?!["']?(?:\[?\{|\$|<|!|\||>))(["']?)([^\s#"'][^#"']*?)\3(?=\s*(?:#|$))/;

/** The text with its plain secrets replaced: in URLs, and of keys such as `password` where it has keys. */
export function withoutSecrets(text: string, hasKeys: boolean): string {
  const masked = redactUrls(text).replaceAll(webhook, `$1${mask}`);
  if (!hasKeys) return masked;
  const lines = masked.split('\n').map((line) => {
    const [whole = '', before = '', key = '', quote = '', value = ''] = keyValue.exec(line) ?? [];
    return isPlainSecret(value, key) && value !== mask ? line.replace(whole, `${before}${quote}${mask}${quote}`) : line;
  });
  return lines.join('\n');
}

/** The line of the first plain secret of a file. */
export function secretLine(text: string, hasKeys: boolean): number | undefined {
  const masked = withoutSecrets(text, hasKeys);
  if (masked === text) return undefined;
  const lines = masked.split('\n');
  return text.split('\n').findIndex((line, at) => line !== lines[at]) + 1;
}
