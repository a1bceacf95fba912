import * as z from 'zod';
import { formatMatcher, type Matcher } from '../../stack/alertmanager/matcher.ts';
import { parseJson } from '../../stack/values/parse.ts';
import { StackError } from '../util/stack-error.ts';
import { NoAnswerError, type Servers } from './servers.ts';

const service = 'alertmanager';

const matcherModel = z.object({
  name: z.string(),
  value: z.string(),
  isRegex: z.boolean(),
  isEqual: z.boolean().default(true),
});
const silenceModel = z.object({
  id: z.string(),
  status: z.object({ state: z.enum(['active', 'pending', 'expired']) }),
  matchers: z.array(matcherModel),
  startsAt: z.string(),
  endsAt: z.string(),
  createdBy: z.string(),
  comment: z.string(),
});
const alertModel = z.object({
  labels: z.record(z.string(), z.string()),
  status: z.object({ state: z.string() }),
});

/** A silence as Alertmanager holds it. */
export type Silence = Omit<z.infer<typeof silenceModel>, 'matchers'> & { readonly matchers: readonly Matcher[] };

/** A silence to be made; times are ISO 8601. */
export interface NewSilence {
  readonly matchers: readonly Matcher[];
  readonly startsAt: string;
  readonly endsAt: string;
  readonly createdBy: string;
  readonly comment: string;
}

/** An alert to be sent; it ends by itself at `endsAt`. */
export interface NewAlert {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly startsAt: string;
  readonly endsAt: string;
}

/** Alertmanager's HTTP API, version 2. Every function rejects with a StackError when it does not answer or refuses. */
export class AlertmanagerApi {
  readonly #servers: Servers;

  constructor(servers: Servers) {
    this.#servers = servers;
  }

  /** The silences all of these matchers filter for. */
  async silences(matchers: readonly Matcher[] = []): Promise<readonly Silence[]> {
    const found = await this.#get(
      'reading the silences',
      `/api/v2/silences${filters(matchers)}`,
      z.array(silenceModel),
    );
    return found.map((silence) => ({ ...silence, matchers: silence.matchers.map(fromModel) }));
  }

  /** Makes a silence and answers with its id. */
  async addSilence(silence: NewSilence): Promise<string> {
    const doing = 'adding the silence';
    const body = { ...silence, matchers: silence.matchers.map(toModel) };
    const answer = z.object({ silenceID: z.string() }).safeParse(await this.#post(doing, '/api/v2/silences', body));
    if (answer.success) return answer.data.silenceID;
    throw new StackError({ doing, why: 'its answer names no silence', tryThis: 'promstack silence list' });
  }

  /** Ends a silence now. */
  async expireSilence(id: string): Promise<void> {
    await this.#heard(`expiring the silence ${id}`, () => this.#servers.remove(service, `/api/v2/silence/${id}`));
  }

  /** The alerts it holds that all of these matchers match, with their labels. */
  async alerts(matchers: readonly Matcher[] = []): Promise<readonly z.infer<typeof alertModel>[]> {
    return this.#get('reading the alerts', `/api/v2/alerts${filters(matchers)}`, z.array(alertModel));
  }

  /** Hands an alert over, as Prometheus does. */
  async send(alert: NewAlert): Promise<void> {
    await this.#post('sending the alert', '/api/v2/alerts', [alert]);
  }

  /** Its own metrics, as a page. */
  metrics(): Promise<string> {
    return this.#heard('reading the metrics of Alertmanager', () => this.#servers.text(service, '/metrics'));
  }

  async #get<T>(doing: string, path: string, model: z.ZodType<T>): Promise<T> {
    const parsed = model.safeParse(await this.#heard(doing, () => this.#servers.json(service, path)));
    if (parsed.success) return parsed.data;
    throw new StackError({ doing, why: 'its answer is not what Alertmanager answers', tryThis: 'promstack status' });
  }

  async #post(doing: string, path: string, value: unknown): Promise<unknown> {
    const { status, body } = await this.#heard(doing, () =>
      this.#servers.ask(service, {
        method: 'POST',
        path,
        body: JSON.stringify(value),
        headers: { 'content-type': 'application/json' },
      }),
    );
    if (status === 200) return parseJson(body);
    const why = `Alertmanager refuses it with ${status}: ${saidIn(body)}`;
    throw new StackError({ doing, why, tryThis: 'promstack logs alertmanager' });
  }

  async #heard<T>(doing: string, ask: () => Promise<T>): Promise<T> {
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof NoAnswerError)) throw error;
      throw new StackError({ doing, why: `${error.service}: ${error.why}`, tryThis: error.tryThis, cause: error });
    }
  }
}

/** Alertmanager refuses with a text in JSON, or with an object when the request did not fit its model. */
function saidIn(body: string): string {
  const value = parseJson(body);
  const { message } = z.object({ message: z.string() }).catch({ message: body }).parse(value);
  return (typeof value === 'string' ? value : message).trim();
}

function filters(matchers: readonly Matcher[]): string {
  if (matchers.length === 0) return '';
  return `?${matchers.map((one) => `filter=${encodeURIComponent(formatMatcher(one))}`).join('&')}`;
}

function fromModel({ name, value, isRegex, isEqual }: z.infer<typeof matcherModel>): Matcher {
  return { name, value, operator: isRegex ? (isEqual ? '=~' : '!~') : isEqual ? '=' : '!=' };
}

function toModel({ name, value, operator }: Matcher): z.infer<typeof matcherModel> {
  return { name, value, isRegex: operator.endsWith('~'), isEqual: operator.startsWith('=') };
}
