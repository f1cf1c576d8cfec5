// Messages: topics, consumer groups with their lag, what could not be handled, and what could not be published.
import { count, element, timeAgo } from '../../shared/dom.js';
import { freshness, poll, settled } from '../../shared/live.js';
import * as operations from '../../shared/operations.js';
import { deadLetterPanel } from '../dead-letters.js';
import { watchFlow } from '../flow.js';
import { copyableId, empty, eventName, head, panel, serviceBadge, table } from '../parts.js';

const seconds = 3;

/** The services that have dead letters and refused events. */
export const services = ['orders', 'inventory', 'payments', 'activity'];

export default async function showMessages({ main, signal, query, title }) {
  title('Messages');
  const live = freshness();
  const topics = table('Topics', [
    { label: 'Topic', of: topic => element('strong', {}, topic.topic) },
    { label: 'Published by', of: topic => topic.publishers.map(serviceBadge) },
    { label: 'Partitions', kind: 'number', of: topic => count(topic.partitions) },
    { label: 'Last minute', kind: 'number', of: topic => count(topic.lastMinute) },
    { label: 'Produced', kind: 'number', of: topic => count(topic.produced) },
    { label: 'Least consumed', kind: 'number', of: topic => topic.handled === null ? '–' : count(topic.handled) },
    { label: 'Most lag', kind: 'number', of: topic => lagOf(topic.lag) },
  ], { key: topic => topic.topic, empty: empty('No service has told of a topic yet.') });
  const groups = table('Consumer groups', [
    { label: 'Group', of: group => element('strong', {}, group.group) },
    { label: 'Service', of: group => serviceBadge(group.service) },
    { label: 'Reads', kind: 'wide', of: group => group.topics.map(({ topic, lag }) => lag > 0 ? `${topic} (${count(lag)})` : topic).join(', ') },
    { label: 'Lag', kind: 'number', of: group => lagOf(group.lag) },
    { label: 'Dead letters', kind: 'number', of: group => group.deadLetters > 0 ? element('strong', { class: 'bad' }, count(group.deadLetters)) : '0' },
    { label: 'Parked', kind: 'number', of: group => count(group.parked) },
  ], { key: group => group.group, empty: empty('No service has told of a consumer group yet.') });
  const outboxes = table('Outboxes', [
    { label: 'Service', of: service => serviceBadge(service.service) },
    { label: 'Depth', kind: 'number', of: service => count(service.outbox?.depth) },
    { label: 'Oldest', kind: 'number', of: service => service.outbox ? `${service.outbox.oldestSeconds.toFixed(1)} s` : '–' },
    { label: 'Refused', kind: 'number', of: service => count(service.outbox?.refused) },
    { label: 'As of', of: service => service.state === 'away' ? service.asOf ? timeAgo(service.asOf) : 'never' : 'now' },
  ], { key: service => service.service, empty: '' });
  const letters = deadLetterPanel({ signal, query, services });
  const refused = refusedPanel(signal);
  main.replaceChildren(head('Messages', live.node), letters, panel('Consumer groups', groups.node), panel('Topics', topics.node),
    element('div', { class: 'columns' }, panel('Outboxes', outboxes.node), refused));

  watchFlow(({ flow, problem }) => {
    problem ? live.isStale(problem) : live.isTrue();
    if (!flow)
      return;
    groups.show(flow.groups.map(({ asOf, ...group }) => group));
    outboxes.show(flow.services.filter(({ service }) => service !== 'gateway').map(({ since, asOf, ...service }) => service.state === 'away' ? { ...service, asOf } : service));
    topics.show(flow.topics.map(({ asOf, ...topic }) => {
      const read = flow.groups.flatMap(group => group.topics.filter(one => one.topic === topic.topic));
      return { ...topic, handled: read.length > 0 ? Math.min(...read.map(({ handled }) => handled)) : null, lag: read.some(({ lag }) => lag === null) ? null : Math.max(0, ...read.map(({ lag }) => lag)) };
    }));
  }, signal);
}

const lagOf = lag => lag > 0 ? element('strong', { class: 'warn' }, count(lag)) : count(lag);

/** What the broker refused, of all services. */
function refusedPanel(signal) {
  const message = element('div', { role: 'status' });
  const act = async (event, ask, done) => {
    try {
      await ask();
      message.replaceChildren(element('p', { class: 'notice good' }, `${done}: ${eventName(event.eventType)}`));
    } catch (problem) {
      message.replaceChildren(element('p', { class: 'notice warn' }, problem.message));
    }
  };
  const list = table('Refused events', [
    { label: 'Service', of: event => serviceBadge(event.service) },
    { label: 'Event', of: event => eventName(event.eventType) },
    { label: 'Key', of: event => copyableId(event.key) },
    { label: 'Refused', of: event => timeAgo(event.refusedAt) },
    { label: 'Why', kind: 'wide', of: event => event.error },
    { label: 'Behind it', kind: 'number', of: event => count(event.heldBehind) },
    { label: 'Decide', of: event => element('div', { class: 'actions' },
      element('button', { class: 'button', type: 'button', onclick: () => act(event, () => operations.retryRefused(event.service, event.id), 'Tried again') }, 'Retry'),
      element('button', { class: 'button danger', type: 'button', onclick: () => act(event, () => operations.discardRefused(event.service, event.id), 'Discarded') }, 'Discard')) },
  ], { key: event => `${event.service} ${event.id}`, empty: element('p', { class: 'muted' }, 'The broker has taken every event.') });
  const load = async signal => (await settled(services.map(async service => (await operations.refusedEvents(service, { limit: 50 }, signal)).items.map(event => ({ ...event, service }))))).flatMap(({ value }) => value ?? []);
  poll(load, { signal, seconds, onValue: list.show, onProblem: () => {} }).catch(() => {});
  return panel('Refused events', message, list.node);
}
