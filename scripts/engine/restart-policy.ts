/** When the engine starts a service's container again by itself: always, but not after someone stopped it. */
export const restartPolicy = 'unless-stopped';
