import { connect } from '../../scripts/engine/connect.ts';
import { defaultImages } from '../../stack/values/default-images.ts';

/** The image of a real Grafana to run, or why there is none: PROMSTACK_GRAFANA_IMAGE (`default` is the default image), else the default image if it is present. */
export async function imageToRun(): Promise<{ readonly reference: string } | { readonly whyNot: string }> {
  const asked = process.env['PROMSTACK_GRAFANA_IMAGE'];
  const reference = asked === undefined || asked === 'default' ? defaultImages.grafana : asked;
  await using engine = await connect({ env: process.env });
  if ((await engine.findImage(reference)) !== undefined) return { reference };
  if (asked === undefined) return { whyNot: `${reference} is not present; PROMSTACK_GRAFANA_IMAGE names one to pull` };
  try {
    await engine.pullImage(reference, () => undefined, AbortSignal.timeout(300_000));
    return { reference };
  } catch (error) {
    return { whyNot: `${reference} is not available: ${error instanceof Error ? error.message : String(error)}` };
  }
}
