// Activity: what was sold, how far visitors come, by the minute or the hour; and the feed made again.
import { count, element, money } from '../../shared/dom.js';
import { freshness, poll } from '../../shared/live.js';
import * as operations from '../../shared/operations.js';
import { framedPicture } from '../../shared/pictures.js';
import { lineChart } from '../chart.js';
import { choices, empty, figure, head, panel, skeleton } from '../parts.js';
import { currenciesOf, revenueIn } from '../revenue.js';
import { rebuildPanel } from '../rebuild.js';

const seconds = 5;
// as many as can be told apart
const hues = ['--activity', '--orders', '--good', '--bad'];
const ranges = [['', 'last hour', 60, 'minute'], ['6h', '6 hours', 360, 'minute'], ['24h', 'day', 1440, 'hour'], ['7d', 'week', 10_080, 'hour']];

export default async function showActivity({ main, signal, query, title, announce }) {
  title('Activity');
  const live = freshness();
  const [, , minutes, by] = ranges.find(([value]) => value === (query.get('range') ?? '')) ?? ranges[0];
  const figures = { submitted: figure('Orders submitted'), confirmed: figure('Confirmed'), fulfilled: figure('Fulfilled'), cancelled: figure('Cancelled'), revenue: figure('Revenue'), held: figure('Payments held'), alarms: figure('Alarms raised') };
  const orders = lineChart('Orders', by, [{ label: 'submitted', hue: '--orders', of: ({ orders }) => orders.submitted }, { label: 'fulfilled', hue: '--good', of: ({ orders }) => orders.fulfilled }, { label: 'cancelled', hue: '--bad', of: ({ orders }) => orders.cancelled }], signal);
  const revenue = revenueChart(by, signal);
  const funnel = element('div', {}, skeleton(4)), best = element('div', {}, skeleton(5));
  main.replaceChildren(head('Activity', choices('Time', 'range', ranges.map(([value, text]) => [value, text]), query), live.node),
    element('div', { class: 'figures' }, ...Object.values(figures).map(({ node }) => node)),
    element('div', { class: 'columns' }, panel(`Orders by ${by}`, orders.node), panel(`Revenue by ${by}`, revenue.node), panel('Funnel', funnel), panel('Best sellers', best)),
    rebuildPanel(signal, announce));

  let shown = '';
  await poll(signal => Promise.all([operations.summary(minutes, signal), operations.series(minutes, by, signal)]), {
    signal, seconds, onProblem: live.isStale,
    onValue([summary, series]) {
      live.isTrue();
      for (const [name, value] of Object.entries(summary.orders))
        figures[name].show(count(value));
      figures.revenue.show(summary.revenue.map(money).join(' + ') || '0');
      figures.held.show(count(summary.held));
      figures.alarms.show(count(summary.alarms));
      orders.show(series);
      revenue.show(series);
      const next = JSON.stringify([summary.funnel, summary.bestSellers]);
      if (next === shown)
        return;
      shown = next;
      funnel.replaceChildren(...funnelOf(summary.funnel));
      best.replaceChildren(summary.bestSellers.length > 0 ? bestOf(summary.bestSellers) : empty('Nothing was sold in this time. Order something in the store, or here:', 'dotnet aspire resource gateway place-order'));
    },
  });
}

/** A line for each currency in which something was sold; drawn anew where that is another. */
function revenueChart(by, signal) {
  const node = element('div', {});
  let drawn = null, chart, ends;
  return {
    node,
    show(windows) {
      const currencies = currenciesOf(windows).slice(0, hues.length);
      const next = [...currencies].sort().join();
      if (next !== drawn) {
        drawn = next;
        ends?.abort();
        ends = new AbortController();
        const lines = (currencies.length > 0 ? currencies : ['revenue']).map((currency, index) => ({ label: currency, hue: hues[index], of: window => revenueIn(currency, window) }));
        chart = lineChart('Revenue', by, lines, AbortSignal.any([signal, ends.signal]));
        node.replaceChildren(chart.node);
      }
      chart.show(windows);
    },
  };
}

function funnelOf(funnel) {
  const steps = [['Viewed a product', funnel.viewed], ['Put it into the basket', funnel.cart], ['Began to check out', funnel.checkout], ['Order confirmed', funnel.confirmed]];
  const most = Math.max(1, ...steps.map(([, value]) => value));
  // a program that orders looks at nothing before: then it is no share
  const shareOf = (value, before) => before > 0 && value <= before ? `${Math.round(100 * value / before)} % of the step before` : '';
  return [element('dl', { class: 'bars' }, ...steps.flatMap(([label, value], index) => [element('dt', {}, label),
    element('dd', {}, element('progress', { max: most, value, 'aria-label': label }), element('span', { class: 'number' }, count(value)),
      element('span', { class: 'small muted number' }, index > 0 ? shareOf(value, steps[index - 1][1]) : ''))]))];
}

function bestOf(sellers) {
  return element('ol', { class: 'best' }, ...sellers.map(({ sku, quantity }) => element('li', {}, element('a', { class: 'product', href: `/control/stock/${encodeURIComponent(sku)}` }, element('span', { class: 'thumb' }, framedPicture(sku)), sku),
    element('progress', { max: sellers[0].quantity, value: quantity, 'aria-label': `Pieces of ${sku}` }), element('strong', { class: 'number' }, count(quantity)))));
}
