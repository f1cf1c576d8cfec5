// The operators' API.
import { openStream, query, send } from './api.js';

const part = encodeURIComponent;

// what is asked for again anyway need not be tried again for its own sake
const once = (path, signal) => send('GET', path, { signal, isRepeatable: false });

const list = path => (filter, signal) => once(`${path}?${query(filter)}`, signal);

/** How events move through the shop. */
export const flow = signal => once('/api/ops/flow', signal);

/** The newest events of all topics but the streams, newest first: `{items, next}`. */
export const feed = list('/api/activity/feed');

/** The events of an order, in the order in which they came. */
export const timeline = list('/api/activity/timeline');

/** The summary of the last hour, each time it changes. */
export const summaryStream = (last, signal) => openStream('/api/activity/stream', signal);

export const summary = (minutes, signal) => once(`/api/activity/summary?minutes=${minutes}`, signal);
export const series = (minutes, by, signal) => once(`/api/activity/series?${query({ minutes, by })}`, signal);

/** A page of the catalogue. */
export const catalog = list('/api/catalog');

/** Everybody's orders, newest first. */
export const orders = list('/api/ops/orders');
export const stuckOrders = list('/api/ops/orders/stuck');
export const repair = id => send('POST', `/api/ops/orders/${part(id)}/repair`);

export const stock = (sku, signal) => once(`/api/stock/${part(sku)}`, signal);
export const movements = (sku, filter, signal) => once(`/api/ops/stock/${part(sku)}/movements?${query(filter)}`, signal);
export const correct = (sku, correction, key) => send('POST', `/api/ops/stock/${part(sku)}/corrections`, { body: correction, headers: { 'idempotency-key': key } });
export const receive = (sku, receipt, key) => send('POST', `/api/ops/stock/${part(sku)}/receipts`, { body: receipt, headers: { 'idempotency-key': key } });

export const sensors = list('/api/ops/sensors');
export const alarms = list('/api/ops/alarms');

export const reviews = list('/api/ops/reviews');
export const decide = (payment, decision, note) => send('POST', `/api/ops/reviews/${part(payment)}`, { body: { decision, ...(note && { note }) }, isRepeatable: true });
export const reconcile = period => send('POST', '/api/ops/payments/reconciliation', { body: period });

/** The rules that decide about payments, their version, and the version of those that are tried out beside them, if any: `{version, rules, shadow}`. */
export const rules = signal => once('/api/ops/fraud/rules', signal);

/** The rules that are tried out, with what they would have decided otherwise; null where there are none. */
export const shadowRules = signal => once('/api/ops/fraud/shadow', signal).catch(nullWhereNone);

/** The newest replay of rules; null where there was none. */
export const replay = signal => once('/api/ops/fraud/replay', signal).catch(nullWhereNone);
export const beginReplay = request => send('POST', '/api/ops/fraud/replay', { body: request });
export const endReplay = () => send('DELETE', '/api/ops/fraud/replay', { isRepeatable: true });

export const deadLetters = (service, filter, signal) => once(`/api/ops/${service}/dead-letters?${query(filter)}`, signal);
export const redrive = (service, id) => send('POST', `/api/ops/${service}/dead-letters/${part(id)}/redrive`);
export const discard = (service, id) => send('POST', `/api/ops/${service}/dead-letters/${part(id)}/discard`);
export const beginRedrive = (service, selection) => send('POST', `/api/ops/${service}/dead-letters/redrive`, { body: selection });
export const redriveProgress = (service, id, signal) => send('GET', `/api/ops/${service}/dead-letters/redrives/${part(id)}`, { signal });
export const refusedEvents = (service, filter, signal) => once(`/api/ops/${service}/refused-events?${query(filter)}`, signal);
export const retryRefused = (service, id) => send('POST', `/api/ops/${service}/refused-events/${part(id)}/retry`);
export const discardRefused = (service, id) => send('POST', `/api/ops/${service}/refused-events/${part(id)}/discard`);

export const rebuild = signal => once('/api/ops/activity/rebuild', signal);
export const beginRebuild = from => send('POST', '/api/ops/activity/rebuild', { body: { from } });
export const cancelRebuild = () => send('DELETE', '/api/ops/activity/rebuild', { isRepeatable: true });

export const logs = list('/api/ops/logs');

/** How slow the payment provider is; null where it is not to be switched. */
export const providerPace = signal => once('/api/ops/faults/payment-provider', signal).catch(nullWhereNone);
export const setProviderPace = answerDelaySeconds => send('PUT', '/api/ops/faults/payment-provider', { body: { answerDelaySeconds }, isRepeatable: true });

function nullWhereNone(problem) {
  if (problem.status === 404)
    return null;
  throw problem;
}
