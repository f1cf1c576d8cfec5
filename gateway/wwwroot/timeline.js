// An order and its events, one after another as they happen.
import * as api from './api.js';
import { element, money } from './dom.js';

const firstPollMilliseconds = 100;
const pollMilliseconds = 250;
const patientPollMilliseconds = 2000;
// an order that waits for tok_silent may take as long as the saga's timeout: watched on, but with less zeal
const impatientMilliseconds = 20_000;
const longestMilliseconds = 10 * 60_000;
// what an ended order still causes: stock released, payment voided
const quietMillisecondsAfterEnd = 3000;

const panel = document.querySelector('#order');
const list = document.querySelector('#timeline');
const summary = document.querySelector('#order-summary');
const problemBox = document.querySelector('#order-problem');
const announcement = document.querySelector('#announcement');

let watching = 0;

const ended = status => status === 'fulfilled' || status === 'cancelled';
const pause = milliseconds => new Promise(resolve => setTimeout(resolve, milliseconds));

/** Makes room for a new order; whatever was watched is watched no longer. Returns the number that `watch` wants. */
export function clear() {
  document.querySelector('#order-empty').hidden = true;
  problemBox.hidden = true;
  summary.hidden = true;
  list.replaceChildren();
  // beside the catalogue it is in sight; above it, on a narrow screen, it may not be
  if (panel.getBoundingClientRect().top < 0)
    panel.scrollIntoView({ behavior: matchMedia('(prefers-reduced-motion: reduce)').matches ? 'auto' : 'smooth' });
  return ++watching;
}

/** Shows what went wrong, with every field that the shop named. */
export function showProblem(problem) {
  problemBox.hidden = false;
  problemBox.replaceChildren(
    element('strong', {}, problem.status ? `${problem.title} (${problem.status})` : problem.title ?? problem.message),
    element('p', {}, problem.detail ?? ''),
    element('ul', {}, ...Object.entries(problem.errors ?? {}).map(([field, messages]) =>
      element('li', {}, element('code', {}, field), ` ${messages.join(' ')}`))));
}

/**
 * Follows an order until it has ended and is quiet, or another one is to be shown: `mine` is what `clear` returned for it.
 * `onStockNews` is called when Inventory did something for it.
 */
export async function watch(mine, order, title, onStockNews) {
  if (mine !== watching)
    return;
  const seen = new Set();
  const begin = performance.now();
  let lastNews = begin;
  let status = order.status;
  showSummary(order, title);
  // the first event has to get round first
  await pause(firstPollMilliseconds);
  for (let last = false; !last;) {
    const elapsed = performance.now() - begin;
    last = elapsed > longestMilliseconds || (ended(status) && performance.now() - lastNews > quietMillisecondsAfterEnd);
    try {
      const [now, events] = await Promise.all([api.order(order.id), api.timeline(order.id)]);
      if (mine !== watching)
        return;
      problemBox.hidden = true;
      const news = showNew(events, seen);
      if (news.length > 0)
        lastNews = performance.now();
      if (news.some(event => event.topic === 'reservations'))
        onStockNews();
      if (now.status !== status) {
        lastNews = performance.now();
        status = now.status;
        showSummary(now, title);
        announcement.textContent = `Order ${status}${now.reason ? `: ${now.reason}` : ''}`;
      }
    } catch (problem) {
      if (mine !== watching)
        return;
      showProblem(problem);
    }
    await pause(elapsed > impatientMilliseconds ? patientPollMilliseconds : pollMilliseconds);
    if (mine !== watching)
      return;
  }
}

function showSummary(order, title) {
  summary.hidden = false;
  summary.replaceChildren(
    element('p', { class: 'what' }, title, order.total ? ` · ${money(order.total)}` : ''),
    element('p', {}, element('span', { class: 'status', 'data-status': order.status }, statusText(order.status)),
      order.reason ? element('span', { class: 'reason' }, order.reason.replaceAll('_', ' ')) : null),
    element('p', { class: 'small' }, element('code', {}, order.id)));
}

const statusText = status => status === 'inReview' ? 'in review' : status;

/** Adds the events that are not shown yet, at the place where they stand in the timeline, and returns them. */
function showNew(events, seen) {
  const start = events.length > 0 ? Math.min(...events.map(event => Date.parse(event.at))) : 0;
  const added = [];
  events.forEach((event, index) => {
    if (seen.has(event.id))
      return;
    const item = createItem(event, Date.parse(event.at) - start, events.find(other => other.id === event.causationId));
    // those that come in one answer come in one after another
    item.style.animationDelay = `${added.length * 90}ms`;
    seen.add(event.id);
    added.push(event);
    list.insertBefore(item, list.children[index] ?? null);
  });
  return added;
}

function createItem(event, offset, cause) {
  return element('li', { class: 'event', 'data-topic': event.topic },
    element('details', {},
      element('summary', {},
        element('span', { class: 'type', title: event.type }, readable(event.type)),
        element('span', { class: 'offset' }, offset === 0 ? '0 ms' : `+${offset} ms`),
        element('span', { class: 'where' },
          element('span', { class: 'topic', 'data-topic': event.topic }, event.topic),
          ` partition ${event.partition}, offset ${event.offset}`)),
      element('p', { class: 'small' }, element('code', {}, event.type), cause ? ` caused by ${readable(cause.type)}` : ''),
      element('pre', { tabindex: 0 }, JSON.stringify(event.data, null, 2))));
}

/** "shop.orders.order-submitted.v1" is "Order submitted". */
function readable(type) {
  const name = type.split('.').find((part, index) => index >= 2) ?? type;
  const text = name.replace(/([a-z])([A-Z])/g, '$1-$2').replaceAll('-', ' ').toLowerCase();
  return text.charAt(0).toUpperCase() + text.slice(1);
}
