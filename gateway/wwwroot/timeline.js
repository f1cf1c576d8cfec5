// An order and its events, one after another as they happen.
import * as api from './api.js';
import { element, money } from './dom.js';

const pollMilliseconds = 250;
// what an ended order still causes: stock released, payment voided
const quietMillisecondsAfterEnd = 3000;

const panel = document.querySelector('#order');
const list = document.querySelector('#timeline');
const summary = document.querySelector('#order-summary');
const problemBox = document.querySelector('#order-problem');
const announcement = document.querySelector('#announcement');

let watching = new AbortController();

const pause = milliseconds => new Promise(resolve => setTimeout(resolve, milliseconds));

/** Makes room for a new order; whatever was watched is watched no longer. Returns the signal that `watch` wants. */
export function clear() {
  watching.abort();
  watching = new AbortController();
  document.querySelector('#order-empty').hidden = true;
  problemBox.hidden = true;
  summary.hidden = true;
  list.replaceChildren();
  // beside the catalogue it is in sight; above it, on a narrow screen, it may not be
  if (panel.getBoundingClientRect().top < 0)
    panel.scrollIntoView({ behavior: matchMedia('(prefers-reduced-motion: reduce)').matches ? 'auto' : 'smooth' });
  return watching.signal;
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
 * Follows an order until it has ended and is quiet, or another one is to be shown: `signal` is what `clear` returned for it.
 * `onStockNews` is called when Inventory did something for it.
 */
export async function watch(signal, order, title, onStockNews) {
  if (signal.aborted)
    return;
  const shown = [];
  showSummary(order, title);
  const show = events => {
    problemBox.hidden = true;
    if (showNew(events, shown).some(event => event.topic === 'reservations'))
      onStockNews();
  };
  await api.follow(order.id, {
    signal,
    onCut: showProblem,
    onChange(change) {
      if (signal.aborted)
        return;
      show([...shown, change]);
      if (change.status === order.status)
        return;
      order = { ...order, status: change.status, reason: change.data.reason };
      showSummary(order, title);
      announcement.textContent = `Order ${order.status}${order.reason ? `: ${order.reason}` : ''}`;
    },
  });
  // the stream ends with the order; what that causes is in the timeline
  for (let quietSince = performance.now(); !signal.aborted && performance.now() - quietSince < quietMillisecondsAfterEnd;) {
    const before = shown.length;
    const events = await api.timeline(order.id).catch(() => []);
    if (!signal.aborted)
      show(events);
    if (shown.length > before)
      quietSince = performance.now();
    await pause(pollMilliseconds);
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

/** Adds the events that are not shown yet, at the place where they stand among `events`, and returns them. */
function showNew(events, shown) {
  const start = Math.min(...events.map(event => Date.parse(event.at)));
  const added = [];
  events.forEach((event, index) => {
    if (shown.some(other => other.id === event.id))
      return;
    const item = createItem(event, start, events.find(other => other.id === event.causationId));
    // those that come in one answer come in one after another
    item.style.animationDelay = `${added.length * 90}ms`;
    shown.push(event);
    added.push(event);
    list.insertBefore(item, list.children[index] ?? null);
  });
  return added;
}

function createItem(event, start, cause) {
  const at = Date.parse(event.at);
  return element('li', { class: 'event', 'data-topic': event.topic },
    element('details', {},
      element('summary', {},
        element('span', { class: 'type', title: event.type }, readable(event.type)),
        element('span', { class: 'offset' }, at === start ? '0 ms' : `+${at - start} ms`),
        element('span', { class: 'where' },
          element('span', { class: 'topic', 'data-topic': event.topic }, event.topic),
          ` partition ${event.partition}, offset ${event.offset}`)),
      element('p', { class: 'small' }, element('code', {}, event.type),
        cause ? ` caused by ${readable(cause.type)}, ${Math.max(0, at - Date.parse(cause.at))} ms after it` : ''),
      element('pre', { tabindex: 0 }, JSON.stringify(event.data, null, 2))));
}

/** "shop.orders.order-submitted.v1" is "Order submitted". */
function readable(type) {
  const name = type.split('.').find((part, index) => index >= 2) ?? type;
  const text = name.replace(/([a-z])([A-Z])/g, '$1-$2').replaceAll('-', ' ').toLowerCase();
  return text.charAt(0).toUpperCase() + text.slice(1);
}
