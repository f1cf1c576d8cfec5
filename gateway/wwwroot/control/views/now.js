// Now: the picture of the flow, its figures, and the last events as they come.
import { count, element, roundMoney, timeAgo } from '../../shared/dom.js';
import { freshness } from '../../shared/live.js';
import * as operations from '../../shared/operations.js';
import { follow } from '../../shared/streams.js';
import { delays, eventList, followFeed } from '../event-feed.js';
import { flowPicture } from '../flow-picture.js';
import { openAlarms, watchFlow } from '../flow.js';
import { currenciesOf, revenueIn } from '../revenue.js';
import { empty, figure, head, panel, publisherOf, serviceBadge, skeleton, sparkline } from '../parts.js';

const chartMinutes = 30, chartMilliseconds = 15_000, mostOfChosen = 6;

export default async function showNow({ main, signal, query, go, title }) {
  title('Now');
  const live = freshness();
  const notices = element('div', {});
  const box = element('div', { class: 'flow-box', tabindex: 0, role: 'region', 'aria-label': 'Picture of the flow' }, skeleton(8));
  const chosenBox = element('aside', { class: 'chosen', 'aria-label': 'What is chosen', hidden: true });
  const events = eventList();
  const eventsBox = element('div', {}, skeleton(8));
  const figures = {
    orders: figure('Orders, last hour', { href: '/control/orders' }), confirmed: figure('Confirmed, last hour', { href: '/control/activity' }), revenue: figure('Revenue, last hour', { href: '/control/activity' }),
    held: figure('Held, last hour', { href: '/control/payments' }), lag: figure('Lag', { unit: 'events', href: '/control/messages' }),
    outbox: figure('Outbox', { unit: 'events', href: '/control/messages' }), dead: figure('Dead letters', { href: '/control/messages#panel-dead-letters' }), alarms: figure('Open alarms', { href: '/control/sensors' }),
  };
  main.replaceChildren(head('Now', live.node), notices,
    element('div', { class: 'figures' }, ...Object.values(figures).map(({ node }) => node)),
    element('section', { class: 'panel', 'aria-labelledby': 'flow-title' }, element('h2', { id: 'flow-title', class: 'visually-hidden' }, 'Flow of events'), element('div', { class: 'flow-split' }, box, chosenBox)),
    panel('Last events', eventsBox));

  let chosen = query.get('node') ?? '';
  let picture = null, flow = null, newest = [];
  const choose = (kind, name) => {
    chosen = chosen === `${kind}:${name}` ? '' : `${kind}:${name}`;
    history.replaceState(null, '', chosen ? `/control?node=${encodeURIComponent(chosen)}` : '/control');
    showFlow();
  };
  const showFlow = () => {
    picture?.show(flow, chosen);
    showChosen(chosenBox, chosen, flow, newest, choose);
  };

  watchFlow(({ flow: next, problem }) => {
    problem ? live.isStale(problem) : live.isTrue();
    notices.replaceChildren(...problem ? [] : noticesOf(next));
    if (!next)
      return;
    flow = next;
    if (!picture) {
      box.replaceChildren();
      picture = flowPicture(box, choose);
    }
    showFlow();
    const lags = flow.groups.map(({ lag }) => lag);
    const lag = lags.includes(null) ? null : lags.reduce((sum, one) => sum + one, 0);
    figures.lag.show(count(lag), lag > 0 ? 'warn' : '');
    figures.outbox.show(count(flow.outboxDepth), flow.outboxDepth > 0 ? 'warn' : '');
    figures.dead.show(count(flow.deadLetters), flow.deadLetters > 0 ? 'bad' : '');
    figures.alarms.show(openAlarms(flow), flow.openAlarms > 0 ? 'bad' : '');
  }, signal);

  followFeed({
    signal,
    onProblem: () => {},
    onEvents(known, news) {
      newest = known;
      events.show(known);
      eventsBox.replaceChildren(known.length > 0 ? events.node : empty('Nothing has happened yet. Order something in the store, or here:', 'dotnet aspire resource gateway place-order'));
      const waits = delays(news);
      news.forEach((event, index) => setTimeout(() => signal.aborted || picture?.travel(event), waits[index]));
      if (news.length > 0 && flow)
        showChosen(chosenBox, chosen, flow, newest, choose);
    },
  }).catch(() => {});

  follow(operations.summaryStream, { signal, onOpen() {}, onCut() {}, onEvent: showSummary }).catch(() => {});
  operations.summary(60, signal).then(showSummary, () => {});
  function showSummary(summary) {
    if (signal.aborted)
      return;
    figures.orders.show(count(summary.orders.submitted));
    figures.confirmed.show(count(summary.orders.confirmed));
    figures.revenue.show(summary.revenue.map(roundMoney).join(' + ') || '0');
    figures.held.show(count(summary.held));
  }

  const showCharts = async () => {
    const minutes = await operations.series(chartMinutes, 'minute', signal).catch(() => []);
    if (signal.aborted || minutes.length === 0)
      return;
    figures.orders.chart.replaceChildren(sparkline(minutes.map(({ orders }) => orders.submitted)));
    figures.confirmed.chart.replaceChildren(sparkline(minutes.map(({ orders }) => orders.confirmed)));
    // beside each other in the room of one
    figures.revenue.chart.replaceChildren(...currenciesOf(minutes).map(currency => sparkline(minutes.map(window => revenueIn(currency, window)))));
  };
  showCharts();
  const charts = setInterval(showCharts, chartMilliseconds);
  signal.addEventListener('abort', () => clearInterval(charts));
}

/** What is not as it should be, with its time. */
function noticesOf(flow) {
  const wrong = flow.services.filter(({ state }) => state !== 'up');
  return [
    ...wrong.map(service => element('p', { class: `notice ${service.state === 'away' ? 'bad' : 'warn'}`, role: 'status' }, element('strong', {}, service.service),
      service.state === 'away' ? ' is away, since ' : ' cannot do all of its work, since ', timeAgo(service.since),
      service.asOf && service.state === 'away' ? [': its figures are of ', timeAgo(service.asOf)] : '', service.remark ? ` (${service.remark})` : '')),
    flow.brokerAnswers === false && element('p', { class: 'notice bad', role: 'status' }, element('strong', {}, 'Kafka'), ' does not answer: events wait in the outboxes, rates and lag are unknown'),
  ].filter(Boolean);
}

function showChosen(box, chosen, flow, newest, choose) {
  const [kind, name] = chosen.split(/:(.*)/);
  const found = flow && (kind === 'service' ? flow.services.find(({ service }) => service === name) : kind === 'topic' ? flow.topics.find(({ topic }) => topic === name) : kind === 'group' ? flow.groups.find(({ group }) => group === name) : null);
  box.hidden = !found;
  if (!found) {
    delete box.dataset.looks;
    return;
  }
  const lines = kind === 'service' ? serviceLines(found) : kind === 'topic' ? topicLines(found, flow) : groupLines(found);
  const topics = kind === 'group' ? found.topics.map(({ topic }) => topic) : [];
  const last = newest.filter(event => kind === 'service' ? publisherOf(event) === name : kind === 'topic' ? event.topic === name : topics.includes(event.topic)).slice(0, mostOfChosen);
  // as it is, it stays as it is: what has the focus keeps it
  const looks = JSON.stringify([chosen, { ...found, asOf: null }, last.map(({ id }) => id)]);
  if (box.dataset.looks === looks)
    return;
  box.dataset.looks = looks;
  const list = eventList();
  list.show(last);
  list.node.setAttribute('aria-label', `The last events of ${name}`);
  box.replaceChildren(element('div', { class: 'chosen-head' }, element('h2', {}, name), element('button', { class: 'icon-button', type: 'button', 'aria-label': 'Close', onclick: () => choose(kind, name) }, '✕')),
    element('dl', { class: 'facts' }, ...lines.flatMap(([label, value]) => [element('dt', {}, label), element('dd', { class: 'number' }, ...[value].flat())])),
    element('h3', {}, 'Last events'), last.length > 0 ? list.node : element('p', { class: 'small muted' }, 'None among the newest.'));
}

const serviceLines = service => [['State', [service.state, ', since ', timeAgo(service.since)]], ['Instances', `${service.ready} of ${service.instances} ready`],
  ...service.remark ? [['Says', service.remark]] : [],
  ...service.outbox ? [['Outbox', `${count(service.outbox.depth)} events, the oldest ${service.outbox.oldestSeconds.toFixed(1)} s old`], ['Refused', count(service.outbox.refused)], ['Dead letters', `${count(service.deadLetters)}, ${count(service.parked)} parked behind`], ['As of', timeAgo(service.asOf)]] : []];
const topicLines = (topic, flow) => [['Published by', topic.publishers.map(serviceBadge)], ['Partitions', count(topic.partitions)], ['Records ever', count(topic.produced)], ['Last minute', count(topic.lastMinute)],
  ['Read by', flow.groups.filter(group => group.topics.some(one => one.topic === topic.topic)).map(({ group }) => group).join(', ') || 'nobody'], ['As of', timeAgo(topic.asOf)]];
const groupLines = group => [['Service', serviceBadge(group.service)], ['Lag', count(group.lag)], ['Dead letters', `${count(group.deadLetters)}, ${count(group.parked)} parked behind`],
  ...group.topics.map(({ topic, handled, lag }) => [topic, `${count(handled)} handled, ${count(lag)} to do`]), ['As of', timeAgo(group.asOf)]];
