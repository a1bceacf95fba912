/** The response's JSON; throws when the status is not 2xx. */
export async function getJson<T>(url: string): Promise<T> {
  return JSON.parse(await getText(url)) as T;
}

/** The response's text; throws when the status is not 2xx. */
export async function getText(url: string): Promise<string> {
  const answer = await fetch(url, { signal: AbortSignal.timeout(5_000) });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${url} answers ${answer.status}: ${text}`);
  return text;
}

/** The samples of an instant query, now or at a time in seconds since 1970, as `{label="value",…} value`, sorted. */
export async function query(prometheus: string, expr: string, at?: number): Promise<readonly string[]> {
  const time = at === undefined ? '' : `&time=${at}`;
  const { data } = await getJson<{ data: { result: { metric: Record<string, string>; value: [number, string] }[] } }>(
    `${prometheus}/api/v1/query?query=${encodeURIComponent(expr)}${time}`,
  );
  return data.result.map(({ metric, value }) => `${labelText(metric)} ${value[1]}`).sort();
}

function labelText(metric: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(metric).filter(([name]) => name !== '__name__');
  return `${metric['__name__'] ?? ''}{${pairs
    .sort()
    .map(([name, value]) => `${name}="${value}"`)
    .join(',')}}`;
}
