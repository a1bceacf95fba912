import type Dockerode from 'dockerode';

/** Removes a container and waits until it is gone. `v` takes only volumes without a name, such as an image's own VOLUME that nothing was mounted on. */
export async function remove(container: Dockerode.Container): Promise<void> {
  try {
    await container.remove({ force: true, v: true });
  } catch (error) {
    const status = (error as { statusCode?: unknown }).statusCode;
    if (status === 404) return;
    if (status !== 409) throw error;
    await untilGone(container);
  }
}

/** Someone else's removal is under way: gone is gone, whoever did it. */
async function untilGone(container: Dockerode.Container): Promise<void> {
  try {
    await container.wait({ condition: 'removed', abortSignal: AbortSignal.timeout(30_000) });
  } catch (error) {
    if ((error as { statusCode?: unknown }).statusCode !== 404) throw error;
  }
}
