/**
 * The login of an address, and what follows it: `user:password` of `https://user:password@db/`. The address may be one that no
 * program can read: without a scheme, with half of one, or with a slash in the password. Undefined when there is none, as in an image
 * with a digest.
 */
export function loginIn(address: string): { readonly before: string; readonly login: string } | undefined {
  const [, before = '', login = ''] = /^((?:[a-z][\w+.-]*)?(?::\/{1,2}|\/\/)|)(.+)@[^@]+$/is.exec(address) ?? [];
  if (login === '' || /@sha256:/.test(address)) return undefined;
  const isUrl = address.includes('://') && URL.canParse(address);
  if (isUrl) return new URL(address).username + new URL(address).password === '' ? undefined : { before, login };
  // The @ of a path, as in host:8080/@me.
  return /^[\w.[\]-]*(?::\d*)?\//.test(login) ? undefined : { before, login };
}

/** The password of a login; undefined for anything else, such as an address of mail. */
export function passwordIn(address: string): string | undefined {
  const { before = '', login = '' } = loginIn(address) ?? {};
  const [, user = '', password] = /^([^:]*):(.+)$/s.exec(login) ?? [];
  if (password === undefined || (before === '' && (/\s/.test(login) || /^(?:mailto|sips?|xmpp|acct)$/i.test(user))))
    return undefined;
  return password;
}

/** An address as it may be printed: without its password, or the token of an HTTP address. */
export function withoutLogin(address: string): string {
  const password = passwordIn(address);
  if (password !== undefined) return address.replace(`:${password}@`, ':[secret]@');
  const { before = '', login = '' } = loginIn(address) ?? {};
  return /^https?:?\//i.test(before) ? address.replace(`${login}@`, '[secret]@') : address;
}
