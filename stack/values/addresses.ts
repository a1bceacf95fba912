/** Whether a text is HOST or HOST:PORT, where the host may be an IPv6 address in brackets. */
export function isAddress(text: string): boolean {
  const [, port] = /^(?:[^\s/:@?#,[\]]+|\[[\da-f:.]+(?:%[\w.-]+)?\])(?::(\d+))?$/i.exec(text) ?? [text, '0'];
  return port === undefined || (Number(port) >= 1 && Number(port) <= 65_535);
}

/** Whether a text is HOST:PORT. */
export function hasPort(text: string): boolean {
  return isAddress(text) && /[^:]:\d+$/.test(text);
}

/** Whether the servers can read a URL of HTTP: unlike JavaScript, Go requires a host after the slashes, and whole escapes. */
export function isHttpUrl(text: string): boolean {
  return /^https?:\/\/[^\s/?#\\]+(?:[/?#]|$)/i.test(text) && URL.canParse(text) && !/%(?![\da-f]{2})/i.test(text);
}
