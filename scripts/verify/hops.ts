import type { Hop } from './drill.ts';
import { arrival } from './hops/arrival.ts';
import { delivery } from './hops/delivery.ts';
import { grafana } from './hops/grafana.ts';
import { push } from './hops/push.ts';
import { receivers } from './hops/receivers.ts';
import { route } from './hops/route.ts';
import { rule } from './hops/rule.ts';
import { scrape } from './hops/scrape.ts';

/** The way from a push to a delivered notification, in its order. */
export const hops: readonly Hop[] = [route, push, scrape, grafana, rule, arrival, delivery, receivers];
