// Logs of all services: a line links to its order and its trace.
import { clock, element } from '../../shared/dom.js';
import { query as queryOf } from '../../shared/api.js';
import { field } from '../../shared/forms.js';
import { freshness, poll } from '../../shared/live.js';
import * as operations from '../../shared/operations.js';
import { lastFlow } from '../flow.js';
import { choices, empty, head, orderLink, serviceBadge, shortened, table, traceLink } from '../parts.js';

const seconds = 3, pageSize = 100;
const names = ['service', 'level', 'event', 'order', 'trace', 'text', 'after'];
const levels = [['', 'any level'], ['information', 'information'], ['warning', 'warning'], ['error', 'error'], ['critical', 'critical']];
const services = ['orders', 'inventory', 'payments', 'activity'];

export default async function showLogs({ main, signal, query, title, go }) {
  title('Logs');
  const live = freshness();
  const filter = Object.fromEntries(names.map(name => [name, query.get(name) ?? '']));
  const inputs = { text: element('input', { type: 'search', maxlength: 200 }), event: element('input', { maxlength: 200, placeholder: 'PaymentReviewed' }), order: element('input', { placeholder: 'id of an order' }), trace: element('input', { placeholder: '32 digits' }) };
  const labels = { text: 'Text', event: 'Event name', order: 'Order', trace: 'Trace' };
  const form = element('form', { class: 'filters', role: 'search' }, ...Object.entries(inputs).map(([name, input]) => {
    input.value = filter[name];
    return Object.assign(field(name, labels[name], input), { className: name === 'text' ? 'field wide' : 'field' });
  }), element('button', { class: 'button', type: 'submit' }, 'Find'));
  form.addEventListener('submit', event => {
    event.preventDefault();
    const next = queryOf({ service: filter.service, level: filter.level, ...Object.fromEntries(Object.entries(inputs).map(([name, input]) => [name, input.value.trim()])) });
    go(`/control/logs${next ? `?${next}` : ''}`);
  });
  const message = element('div', {});
  const list = table('Log lines', [
    { label: 'At', of: line => clock(line.at) },
    { label: 'Level', of: line => element('span', { class: 'status', 'data-status': line.level }, line.level) },
    { label: 'Service', of: line => serviceBadge(line.service) },
    { label: 'Event', of: line => line.event ? element('a', { href: `/control/logs?event=${encodeURIComponent(line.event)}` }, line.event) : '' },
    { label: 'Message', kind: 'wide', of: line => line.exception || Object.keys(line.fields ?? {}).length > 0
      ? element('details', {}, element('summary', {}, line.message), element('pre', { tabindex: 0, 'aria-label': 'Fields of the line' }, [JSON.stringify(line.fields, null, 2), line.exception].filter(Boolean).join('\n'))) : line.message },
    { label: 'Order', of: line => line.order ? orderLink(line.order) : '' },
    { label: 'Trace', of: line => line.trace ? [element('a', { class: 'id', href: `/control/logs?trace=${line.trace}`, title: line.trace }, shortened(line.trace)), ' ', traceLink(lastFlow().flow?.dashboard, line.trace)] : '' },
  ], { key: line => `${line.at} ${line.service} ${line.span} ${line.message}`, empty: query.size > 0 ? empty('No line is like that.') : empty('No line yet: services send warnings and what is worse. To have all:', 'ShippedLogs__Level=Information ./shop up') });
  const next = element('a', { class: 'button more', hidden: true }, 'Older lines');
  main.replaceChildren(head('Logs', live.node), form,
    element('div', { class: 'filters' }, choices('Level and above', 'level', levels, query), choices('Service', 'service', [['', 'all services'], ...services.map(service => [service, service])], query)),
    message, element('section', { class: 'panel', 'aria-label': 'Log lines' }, list.node, next));

  await poll(signal => operations.logs({ ...filter, limit: pageSize }, signal), {
    signal, seconds,
    onProblem(problem) {
      live.isStale(problem);
      if (problem.status !== 400)
        return;
      list.show([]);
      message.replaceChildren(element('p', { class: 'notice bad', role: 'alert' }, Object.values(problem.errors).flat().join(' ') || 'An order is named by its id.'));
    },
    onValue(page) {
      live.isTrue();
      message.replaceChildren();
      list.show(page.items);
      next.hidden = !page.next;
      next.href = `/control/logs?${queryOf({ ...filter, after: page.next })}`;
    },
  });
}
