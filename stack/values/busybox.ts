import type { StackConfig } from '../config.ts';
import type { Problem } from '../diagnostic.ts';

/** Whether an image has a single program and no shell, by its tag, and is made for user 65532. */
export function isDistroless(image: string): boolean {
  return /:[\w.-]*distroless/.test(image);
}

/** A problem when the Pushgateway's image, in which a feature runs busybox, is one without a shell. */
export function busyboxProblems(
  config: StackConfig,
  feature: 'sink' | 'traffic' | 'pushgateway.ttl',
): readonly Problem[] {
  if (!isDistroless(config.pushgateway.image)) return [];
  return [
    {
      code: 'no-busybox',
      path: ['pushgateway', 'image'],
      message: `the image ${config.pushgateway.image} has no busybox, with which ${feature} runs`,
      hint: `use the image without "-distroless", or ${feature === 'pushgateway.ttl' ? 'remove' : 'disable'} ${feature}`,
    },
  ];
}
