// The newest events, as they come.
import { arrange, clock, element } from '../shared/dom.js';
import { poll } from '../shared/live.js';
import * as operations from '../shared/operations.js';
import { eventName, orderLink, publisherOf, shortened } from './parts.js';

const seconds = 1, mostShown = 40, mostAsked = 100;
const ofOrders = new Set(['orders', 'reservations', 'payments']);

/** Asks for the newest events: `onEvents` is told all that are known, newest first, and those that are new, oldest first; none of those that were there at first. */
export function followFeed({ signal, onEvents, onProblem }) {
  let seen = null;
  return poll(signal => operations.feed({ limit: mostAsked }, signal), {
    signal, seconds, onProblem,
    onValue({ items }) {
      const news = seen === null ? [] : items.filter(event => !seen.has(event.id)).reverse();
      seen = new Set(items.map(event => event.id));
      onEvents(items.slice(0, mostShown), news);
    },
  });
}

/** How far apart new events are shown, so that they come as they came: milliseconds after the first of them, in at most the time until the next are asked for. */
export function delays(events) {
  const times = events.map(event => Date.parse(event.at));
  const first = Math.min(...times), span = Math.max(1, Math.max(...times) - first);
  return times.map(time => (time - first) / Math.max(span, 1000) * seconds * 1000);
}

/** A list of events; those that were there stay as they are. */
export function eventList() {
  const list = element('ol', { class: 'feed', 'aria-label': 'The last events' });
  const items = new Map();
  return {
    node: list,
    show(events) {
      for (const id of [...items.keys()].filter(id => !events.some(event => event.id === id)))
        items.delete(id);
      for (const event of events) {
        if (!items.has(event.id))
          items.set(event.id, itemOf(event));
      }
      arrange(list, events.map(event => items.get(event.id)));
    },
  };
}

function itemOf(event) {
  const service = publisherOf(event);
  return element('li', { class: 'feed-event', 'data-service': service },
    element('span', { class: 'feed-time' }, clock(event.at)),
    element('span', { class: 'feed-name' }, eventName(event.type)),
    element('span', { class: 'feed-key' }, ofOrders.has(event.topic) ? [element('span', { class: 'feed-kind' }, 'order '), orderLink(event.key)] : shortened(event.key)),
    element('span', { class: 'service', 'data-service': service }, service),
    element('span', { class: 'feed-where' }, `${event.topic}/${event.partition}@${event.offset}`));
}
