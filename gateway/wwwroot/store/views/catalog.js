// The catalogue as cards: all of it, or what a search finds.
import * as api from '../../shared/api.js';
import { element, money, moreButton } from '../../shared/dom.js';
import { framedPicture } from '../../shared/pictures.js';
import * as basket from '../basket.js';
import { stockLine } from '../stock.js';

const skeletons = 8;

export async function showCatalog({ main, signal, query, title, announce }) {
  const search = query.get('q')?.trim() ?? '';
  title(search ? `“${search}”` : 'Shop');
  const list = element('ul', { class: 'cards' });
  const heading = element('h1', { class: search ? '' : 'visually-hidden' }, search ? `“${search}”` : 'Products');
  const more = moreButton('Show more', () => load());
  // while somebody types, what was found stays until there is something new
  if (!main.querySelector('.cards .card'))
    main.replaceChildren(element('ul', { class: 'cards', 'aria-hidden': 'true' }, ...Array.from({ length: skeletons }, skeleton)));

  let next = '';
  const load = async () => {
    const page = await api.catalog(search, next, signal);
    if (signal.aborted)
      return;
    list.append(...page.items.map(product => card(product, announce)));
    next = page.next ?? null;
    more.hidden = next === null;
  };
  await load();
  if (signal.aborted)
    return;
  if (list.children.length > 0)
    main.replaceChildren(heading, list, more);
  else
    main.replaceChildren(search
      ? element('div', { class: 'state' }, element('h1', {}, `Nothing is called “${search}”`), element('a', { class: 'button', href: '/' }, 'See everything'))
      : element('div', { class: 'state' }, element('h1', {}, 'The shelves are empty'), element('p', {}, 'An operator adds products with PUT /api/ops/products/{sku}.')));
  if (search) {
    announce(`${list.children.length} found`);
    api.notice({ type: 'ProductSearched', search });
  }
}

function card(product, announce) {
  const button = element('button', { class: 'button add', type: 'button', disabled: product.available <= 0, 'aria-label': `Add ${product.name} to the basket` }, 'Add');
  button.addEventListener('click', () => {
    const isAdded = basket.add(product.sku, 1);
    button.textContent = isAdded ? 'Added' : 'Basket full';
    announce(isAdded ? `${product.name} is in the basket` : `An order takes ${basket.mostLines} different products`);
    setTimeout(() => button.textContent = 'Add', 1500);
  });
  return element('li', { class: 'card', 'data-sku': product.sku },
    element('a', { class: 'card-link', href: `/products/${encodeURIComponent(product.sku)}` },
      framedPicture(product.sku),
      element('h2', {}, product.name)),
    element('div', { class: 'buy' },
      element('div', {}, element('p', { class: 'price number' }, money(product.price)), stockLine(product.available)),
      button));
}

function skeleton() {
  return element('li', { class: 'card' }, element('div', { class: 'frame skeleton' }), element('p', { class: 'skeleton' }, '\u00a0'), element('p', { class: 'skeleton short' }, '\u00a0'));
}
