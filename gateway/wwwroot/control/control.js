// The control room: shows what the address says, and its head.
import * as api from '../shared/api.js';
import { element, refreshTimes } from '../shared/dom.js';
import { announce, decoded, followLinks, showConnection } from '../shared/navigation.js';
import { currentSession, forgetSession, leave } from '../shared/session.js';
import { openAlarms, watchFlow } from './flow.js';

// label, path, the view's module, and the paths that are its own beside that of the tab
const tabs = [
  ['Now', '/control', () => import('./views/now.js')],
  ['Orders', '/control/orders', () => import('./views/orders.js'), [/^\/control\/orders\/([^/]+)$/, () => import('./views/order.js')]],
  ['Stock', '/control/stock', () => import('./views/stock.js'), [/^\/control\/stock\/([^/]+)$/, () => import('./views/product.js')]],
  ['Sensors', '/control/sensors', () => import('./views/sensors.js')],
  ['Payments', '/control/payments', () => import('./views/payments.js')],
  ['Messages', '/control/messages', () => import('./views/messages.js')],
  ['Activity', '/control/activity', () => import('./views/activity.js')],
  ['Logs', '/control/logs', () => import('./views/logs.js')],
  ['Faults', '/control/faults', () => import('./views/faults.js')],
];
const refreshMilliseconds = 10_000;
const main = document.querySelector('#main');
let shown = new AbortController();
let address;

/** The tab of a path, the view that shows it, and what the path names. */
function placeOf(path) {
  for (const [label, tab, view, [pattern, detail] = []] of tabs) {
    if (path === tab)
      return { label, view, parameter: '' };
    const found = pattern?.exec(path);
    if (found)
      return { label, view: detail, parameter: decoded(found[1]) };
  }
  return null;
}

/** Goes to an address of the control room's. */
function go(to, { replace = false } = {}) {
  history[replace ? 'replaceState' : 'pushState'](null, '', to);
  return show({ isNew: !replace });
}

async function show({ isNew }) {
  shown.abort();
  shown = new AbortController();
  const { signal } = shown;
  const url = new URL(location.href);
  address = url.pathname + url.search;
  const place = placeOf(url.pathname);
  for (const link of document.querySelectorAll('#tabs a')) {
    link.toggleAttribute('aria-current', false);
    if (link.textContent === place?.label) {
      link.setAttribute('aria-current', 'page');
      link.scrollIntoView({ block: 'nearest', inline: 'center' });
    }
  }
  if (isNew) {
    scrollTo(0, 0);
    main.focus({ preventScroll: true });
  }
  try {
    const { name, roles } = await currentSession();
    if (!roles.includes('operator'))
      return showClosed(name);
    const { default: view } = await place.view();
    await view({ main, signal, query: url.searchParams, parameter: place.parameter, go, title, announce });
  } catch (problem) {
    if (signal.aborted)
      return;
    if (problem.status === 401 || problem.status === 403)
      return close();
    if (!(problem instanceof api.Problem))
      console.error(problem);
    title('Something went wrong');
    main.replaceChildren(element('div', { class: 'state' }, element('h1', {}, 'This could not be shown'), element('p', {}, problem.message),
      element('button', { class: 'button', type: 'button', onclick: () => show({ isNew: false }) }, 'Try again')));
  }
}

/** Whoever was signed in is not any more, or is no operator. */
function close() {
  shown.abort();
  forgetSession();
  document.querySelector('#account').replaceChildren();
  document.querySelectorAll('#alarms, #dashboard').forEach(link => link.hidden = true);
  showClosed(null);
}

function showClosed(name) {
  title('For operators');
  main.replaceChildren(element('div', { class: 'state' }, element('h1', {}, 'The control room is for operators'),
    element('p', {}, name ? `You are signed in as ${name}, who is a shopper. Sign in as the operator to see the shop run.` : 'Sign in as the operator to see the shop run.'),
    element('a', { class: 'button primary', href: `/sign-in?return=${encodeURIComponent(location.pathname + location.search)}` }, 'Sign in as the operator'),
    element('a', { class: 'small', href: '/' }, 'To the store')));
}

function title(text) {
  document.title = `${text} · Control room`;
}

followLinks(placeOf, to => go(to));
showConnection();
addEventListener('session-refused', close);
addEventListener('popstate', () => {
  // a jump within the page is none to another
  if (address !== location.pathname + location.search)
    show({ isNew: false });
});

document.querySelector('#tabs').append(...tabs.map(([label, path]) => element('a', { href: path }, label)));
setInterval(() => refreshTimes(main), refreshMilliseconds);

const { name, roles } = await currentSession().catch(() => ({ name: null, roles: [] }));
if (name)
  document.querySelector('#account').replaceChildren(element('span', { class: 'who', title: `Signed in as ${name}` }, name),
    element('button', { class: 'link', type: 'button', onclick: async () => { await leave(); location.assign('/'); } }, 'Sign out'));
if (roles.includes('operator'))
  watchFlow(showHead);
show({ isNew: false });

/** What the head tells of the flow, whatever is shown. */
function showHead({ flow }) {
  if (!flow)
    return;
  const alarms = document.querySelector('#alarms');
  alarms.hidden = !flow.openAlarms;
  alarms.textContent = `${openAlarms(flow)} ${flow.openAlarms === 1 ? 'alarm' : 'alarms'}`;
  const dashboard = document.querySelector('#dashboard');
  dashboard.hidden = !flow.dashboard;
  if (flow.dashboard)
    dashboard.href = flow.dashboard;
}
