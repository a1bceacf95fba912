import { randomBytes } from 'node:crypto';

/** A unique text, and every form in which it could be printed. */
export interface Planted {
  readonly name: string;
  readonly text: string;
  /** What a search must not find: the text itself, as it stands in URLs and in base64, and what Go shows of it. */
  readonly forms: readonly string[];
}

/** Plants a new secret, with characters that are written otherwise in JSON, YAML and URLs. */
export function plant(name: string): Planted {
  const id = randomBytes(9).toString('hex');
  return planted(name, `${id}/+ "it's" #1: ${name}`);
}

/** A text of the test's own as a planted one. */
export function planted(name: string, text: string): Planted {
  const [first = ''] = text.split('/');
  const forms = [text, encodeURIComponent(text), first, `${text.slice(0, 7)}...`, ...base64Forms(text)];
  return { name, text, forms: [...new Set(forms.filter((form) => form.length > 8))] };
}

/** What of the planted is found in a text. */
export function foundIn(text: string, all: readonly Planted[]): readonly string[] {
  return all.flatMap(({ name, forms }) =>
    forms.filter((form) => text.includes(form)).map((form) => `${name}: ${form}`),
  );
}

/** A text inside a longer one has one of three forms in base64, by where it begins. */
function base64Forms(text: string): readonly string[] {
  return [0, 1, 2].map((before) => {
    const whole = Buffer.concat([Buffer.alloc(before), Buffer.from(text)]).toString('base64');
    // Letters at both ends depend on what stands around it.
    return whole.slice(before === 0 ? 0 : 4, Math.floor((before + text.length) / 3) * 4);
  });
}
