// <order-steps>: how far an order has come, each step with its time.
import { arrange, duration, element } from '../dom.js';
import { nameOf, serviceOf } from './order-events.js';

const labels = {
  'order-submitted': 'Submitted', 'stock-reserved': 'Stock reserved', 'payment-held': 'Payment under review', 'payment-authorized': 'Payment authorised',
  'order-confirmed': 'Confirmed', 'stock-dispatched': 'On its way', 'payment-captured': 'Paid', 'order-fulfilled': 'Fulfilled',
  'stock-rejected': 'Not enough in stock', 'payment-declined': 'Payment declined', 'cancellation-requested': 'Cancellation asked for', 'order-cancelled': 'Cancelled',
  'stock-released': 'Stock given back', 'payment-voided': 'Payment released', 'payment-refunded': 'Payment refunded',
};
const course = [
  ['order-submitted', 'orders'], ['stock-reserved', 'inventory'], ['payment-authorized', 'payments'], ['order-confirmed', 'orders'],
  ['stock-dispatched', 'inventory'], ['payment-captured', 'payments'], ['order-fulfilled', 'orders'],
];
const badSteps = new Set(['stock-rejected', 'payment-declined', 'order-cancelled']);
const ends = new Set(['order-cancelled', 'order-fulfilled']);

class OrderSteps extends HTMLElement {
  #items = new Map();

  connectedCallback() {
    this.list ??= this.appendChild(element('ol', { class: 'steps', 'aria-label': 'Steps of the order' }));
  }

  /** The order's events so far, in their order. */
  set events(events) {
    const seen = events.filter(event => labels[nameOf(event.type)]);
    const names = new Set(seen.map(event => nameOf(event.type)));
    const hasEnded = seen.some(event => ends.has(nameOf(event.type)));
    const isHeld = names.has('payment-held') && !names.has('payment-authorized');
    const steps = seen.map((event, index) => {
      const name = nameOf(event.type);
      return { key: event.id, name, service: serviceOf(event), event, time: timeOf(event, seen[index - 1]),
        state: badSteps.has(name) ? 'bad' : name === 'payment-held' && isHeld && !hasEnded ? 'held' : 'done' };
    });
    // until the first event is known nothing is said about the next one
    if (!hasEnded)
      steps.push(...course.filter(([name]) => !names.has(name)).map(([name, service], index) =>
        ({ key: name, name, service, state: index === 0 && !isHeld && seen.length > 0 ? 'next' : 'pending' })));
    arrange(this.list, steps.map(step => this.#itemOf(step)));
  }

  /** Kept where it is as it was, so that what is there does not move or appear again. */
  #itemOf(step) {
    const looks = `${step.state} ${step.time}`;
    const kept = this.#items.get(step.key);
    if (kept?.looks === looks)
      return kept.item;
    const label = labels[step.name];
    const item = element('li', { class: 'step', 'data-state': step.state, 'data-service': step.service },
      element('span', { class: 'step-name' },
        step.event ? element('a', { href: `#event-${step.event.id}`, title: 'To its event' }, label) : label, ' ',
        element('span', { class: 'step-service' }, step.service)),
      element('span', { class: 'step-time number', title: step.event && new Date(step.event.at).toISOString() }, step.time ?? (step.state === 'next' ? 'next' : '')));
    this.#items.set(step.key, { item, looks });
    return item;
  }
}

/** Since the step before; the first one's is the time of day. */
function timeOf(event, before) {
  const at = new Date(event.at);
  return before
    ? duration(Math.max(0, at - Date.parse(before.at)))
    : `${at.toLocaleTimeString('en-GB')}.${String(at.getMilliseconds()).padStart(3, '0')}`;
}

customElements.define('order-steps', OrderSteps);
