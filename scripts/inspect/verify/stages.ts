import type { Hop } from './pipeline-check.ts';
import { arrival } from './stages/arrival.ts';
import { delivery } from './stages/delivery.ts';
import { grafana } from './stages/grafana.ts';
import { push } from './stages/push.ts';
import { receivers } from './stages/receivers.ts';
import { route } from './stages/route.ts';
import { rule } from './stages/rule.ts';
import { scrape } from './stages/scrape.ts';

/** The way from a push to a delivered notification, in its order. */
export const hops: readonly Hop[] = [route, push, scrape, grafana, rule, arrival, delivery, receivers];
