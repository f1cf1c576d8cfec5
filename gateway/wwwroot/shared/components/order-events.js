// <order-events>: the events of an order, each with its topic, partition, offset, cause and data.
import { duration, element } from '../dom.js';

const services = { orders: 'orders', reservations: 'inventory', stock: 'inventory', catalog: 'inventory', payments: 'payments' };

/** The service whose event it is. */
export const serviceOf = event => services[event.topic] ?? 'activity';

/** "shop.orders.order-submitted.v1" is "order-submitted". */
export const nameOf = type => type.split('.')[2] ?? type;

class OrderEvents extends HTMLElement {
  #shown = new Set();

  connectedCallback() {
    this.list ??= this.appendChild(element('ol', { class: 'events', 'aria-label': 'Events of the order' }));
  }

  /** The events in their order; those that are shown already stay as they are, opened ones open. Returns those that are new. */
  show(events) {
    const start = Math.min(...events.map(event => Date.parse(event.at)));
    const added = events.filter(event => !this.#shown.has(event.id));
    events.forEach((event, index) => {
      if (this.#shown.has(event.id))
        return;
      this.#shown.add(event.id);
      this.list.insertBefore(itemOf(event, start, events.find(other => other.id === event.causationId)), this.list.children[index] ?? null);
    });
    return added;
  }
}

function itemOf(event, start, cause) {
  const at = Date.parse(event.at);
  return element('li', { class: 'event', id: `event-${event.id}`, 'data-service': serviceOf(event) },
    element('details', {},
      element('summary', {},
        element('span', { class: 'event-name' }, readable(event.type)),
        element('span', { class: 'event-time number', title: new Date(at).toISOString() }, at === start ? '0 ms' : duration(at - start)),
        element('span', { class: 'event-where' }, `${event.topic} · partition ${event.partition} · offset ${event.offset}`)),
      element('p', { class: 'small muted' }, element('code', {}, event.type),
        cause ? ` caused by “${readable(cause.type)}”, ${Math.max(0, at - Date.parse(cause.at))} ms after it` : ''),
      element('pre', { tabindex: 0, 'aria-label': 'Data of the event' }, JSON.stringify(event.data, null, 2))));
}

function readable(type) {
  const text = nameOf(type).replaceAll('-', ' ');
  return text.charAt(0).toUpperCase() + text.slice(1);
}

customElements.define('order-events', OrderEvents);
