// One product.
import * as api from '../../shared/api.js';
import { element, money } from '../../shared/dom.js';
import { framedPicture } from '../../shared/pictures.js';
import * as basket from '../basket.js';
import { quantityInput, stockLine } from '../stock.js';

export async function showProduct({ main, signal, parameter: sku, title, announce }) {
  main.replaceChildren(element('div', { class: 'product', 'aria-hidden': 'true' }, element('div', { class: 'frame skeleton' }),
    element('div', {}, element('p', { class: 'skeleton' }, '\u00a0'), element('p', { class: 'skeleton short' }, '\u00a0'))));
  const product = await api.product(sku, signal);
  if (product === null) {
    title('Not sold here');
    main.replaceChildren(element('div', { class: 'state' }, element('h1', {}, 'This is not sold here'), element('a', { class: 'button', href: '/' }, 'See everything')));
    return;
  }

  title(product.name);
  api.notice({ type: 'ProductViewed', sku });
  const most = Math.max(1, Math.min(product.available, basket.mostPieces));
  let quantity = 1;
  const added = element('p', { class: 'small', role: 'status' });
  const add = () => {
    const isAdded = basket.add(sku, quantity);
    added.replaceChildren(isAdded ? `${quantity} in the basket. ` : `An order takes ${basket.mostLines} different products. `, element('a', { href: '/basket' }, 'To the basket'));
    announce(added.textContent);
  };
  main.replaceChildren(element('article', { class: 'product' },
    framedPicture(sku),
    element('div', { class: 'product-text' },
      element('a', { class: 'small', href: '/' }, '← All products'),
      element('h1', {}, product.name),
      element('p', { class: 'big-price number' }, money(product.price)),
      element('p', { class: 'muted' }, product.description),
      stockLine(product.available),
      element('div', { class: 'product-buy' },
        quantityInput(product.name, quantity, most, chosen => quantity = chosen),
        element('button', { class: 'button primary', type: 'button', disabled: product.available <= 0, onclick: add }, 'Add to basket')),
      added)));
}
