// The store: shows what the address says, and its head.
import * as api from '../shared/api.js';
import { element } from '../shared/dom.js';
import { announce, decoded, followLinks, showConnection } from '../shared/navigation.js';
import { currentSession, leave } from '../shared/session.js';
import * as basket from './basket.js';

// a path, and how the view that shows it is loaded
const views = [
  [/^\/$/, async () => (await import('./views/catalog.js')).showCatalog],
  [/^\/products\/([^/]+)$/, async () => (await import('./views/product.js')).showProduct],
  [/^\/basket$/, async () => (await import('./views/basket.js')).showBasket],
  [/^\/checkout$/, async () => (await import('./views/checkout.js')).showCheckout],
  [/^\/orders$/, async () => (await import('./views/orders.js')).showOrders],
  [/^\/orders\/([^/]+)$/, async () => (await import('./views/order.js')).showOrder],
  [/^\/sign-in$/, async () => (await import('./views/sign-in.js')).showSignIn],
];
const main = document.querySelector('#main');
const search = document.querySelector('#search');
const searchPauseMilliseconds = 250, backSeconds = 1;
let shown = new AbortController();
let address;

/** Goes to an address of the store's. */
function go(address, { replace = false } = {}) {
  // the control room has a document of its own
  if (!views.some(([pattern]) => pattern.test(new URL(address, location.origin).pathname)))
    return location[replace ? 'replace' : 'assign'](address);
  if (!replace)
    history.replaceState({ scrolled: scrollY }, '');
  history[replace ? 'replaceState' : 'pushState'](null, '', address);
  return show({ isNew: !replace });
}

async function show({ isNew }) {
  shown.abort();
  shown = new AbortController();
  const { signal } = shown;
  const url = new URL(location.href);
  address = url.pathname + url.search;
  if (document.activeElement !== search.elements.q)
    search.elements.q.value = url.pathname === '/' ? url.searchParams.get('q') ?? '' : '';
  for (const link of document.querySelectorAll('.bar-links a'))
    link.pathname === url.pathname ? link.setAttribute('aria-current', 'page') : link.removeAttribute('aria-current');
  const [pattern, view] = views.find(([pattern]) => pattern.test(url.pathname)) ?? [/^/, () => showNothing];
  const parameter = decoded(pattern.exec(url.pathname)[1] ?? '');
  if (isNew) {
    scrollTo(0, 0);
    main.focus({ preventScroll: true });
  }
  try {
    const showView = await view();
    if (!signal.aborted)
      await showView({ main, signal, query: url.searchParams, parameter, go, title, announce });
  } catch (problem) {
    if (signal.aborted)
      return;
    if (problem.status === 401)
      return go(`/sign-in?return=${encodeURIComponent(url.pathname + url.search)}`, { replace: true });
    if (!(problem instanceof api.Problem))
      console.error(problem);
    title('Something went wrong');
    main.replaceChildren(element('div', { class: 'state' }, element('h1', {}, 'This could not be shown'), element('p', {}, problem.message),
      element('button', { class: 'button', type: 'button', onclick: () => show({ isNew: false }) }, 'Try again')));
  }
}

function showNothing({ main, title }) {
  title('Not found');
  main.replaceChildren(element('div', { class: 'state' }, element('h1', {}, 'There is nothing here'), element('a', { class: 'button', href: '/' }, 'To the shop')));
}

function title(text) {
  document.title = text === 'Shop' ? text : `${text} · Shop`;
}

followLinks(path => views.some(([pattern]) => pattern.test(path)), to => go(to));
showConnection();
addEventListener('popstate', async ({ state }) => {
  // a jump within the page is none to another
  if (address === location.pathname + location.search)
    return;
  const here = location.href;
  await Promise.race([show({ isNew: false }), api.pause(backSeconds)]);
  // where it was, which the browser can only do for what is there at once
  if (location.href === here && scrollY === 0)
    scrollTo(0, state?.scrolled ?? 0);
});

let typing;
const lookFor = () => {
  clearTimeout(typing);
  const q = search.elements.q.value.trim();
  go(q ? `/?q=${encodeURIComponent(q)}` : '/', { replace: location.pathname === '/' });
};
search.addEventListener('submit', event => {
  event.preventDefault();
  lookFor();
});
search.addEventListener('input', () => {
  clearTimeout(typing);
  typing = setTimeout(lookFor, searchPauseMilliseconds);
});

const basketLink = document.querySelector('#basket-link');
basket.onChange(() => {
  const pieces = basket.pieces();
  basketLink.replaceChildren('Basket', pieces > 0 ? element('span', { class: 'count number', 'aria-label': `${pieces} pieces` }, String(pieces)) : '');
});

async function showAccount() {
  const account = document.querySelector('#account');
  const { name, roles, isClosed } = await currentSession().catch(() => ({ name: null, roles: [] }));
  account.replaceChildren(...name
    ? [roles.includes('operator') && element('a', { href: '/control' }, 'Control room'), element('span', { class: 'who', title: `Signed in as ${name}` }, name), element('button', { class: 'link', type: 'button', onclick: signOut }, 'Sign out')].filter(Boolean)
    : isClosed ? [] : [element('a', { href: '/sign-in' }, 'Sign in')]);
}

async function signOut() {
  await leave();
  go('/');
}

addEventListener('session-changed', showAccount);
showAccount();
show({ isNew: false });
