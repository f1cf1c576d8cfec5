// The basket.
import * as api from '../../shared/api.js';
import { element, money } from '../../shared/dom.js';
import { framedPicture } from '../../shared/pictures.js';
import * as basket from '../basket.js';
import { quantityInput } from '../stock.js';

export async function showBasket({ main, signal, title }) {
  title('Basket');
  if (isEmpty(main))
    return;
  main.replaceChildren(element('h1', {}, 'Basket'), element('ul', { class: 'lines', 'aria-hidden': 'true' }, ...basket.lines().map(() => element('li', { class: 'line skeleton' }, ' '))));
  const products = await productsOf(basket.lines(), signal);
  const list = element('ul', { class: 'lines' });
  const sum = element('p', { class: 'sum number' });
  main.replaceChildren(element('div', { class: 'narrow' }, element('h1', {}, 'Basket'), list,
    element('div', { class: 'basket-end' }, sum, element('a', { class: 'button primary', href: '/checkout' }, 'Check out'))));
  basket.onChange(() => {
    if (isEmpty(main))
      return;
    showLines(list, products, basket.lines());
    sum.textContent = `Total ${totalsOf(products, basket.lines()).map(money).join(' + ')}`;
  }, signal);
}

/** What is known of the products of the lines, by sku; null for what is not sold any more. */
export const productsOf = async (lines, signal) =>
  new Map(await Promise.all(lines.map(async ({ sku }) => [sku, await api.product(sku, signal)])));

/** One total for each currency: there is one, unless the products' are different. */
export function totalsOf(products, lines) {
  const cents = new Map();
  for (const { sku, quantity } of lines) {
    if (products.get(sku))
      add(products.get(sku).price, quantity);
  }
  return [...cents].map(([currency, sum]) => ({ amount: sum / 100, currency }));

  // in whole cents, which sums of binary fractions are not
  function add({ amount, currency }, quantity) {
    cents.set(currency, (cents.get(currency) ?? 0) + Math.round(amount * 100) * quantity);
  }
}

/** Shows lines that can be changed; what of a line cannot be had is said at it. What did not change stays, with the focus that is in it. */
export function showLines(list, products, lines, errors = {}) {
  const kept = new Map([...list.children].map(item => [item.dataset.sku, item]));
  list.replaceChildren(...lines.map((line, index) => {
    const product = products.get(line.sku);
    const problem = errors[index] ?? problemOf(line, product);
    const looks = JSON.stringify([line, product, problem]);
    const old = kept.get(line.sku);
    if (old?.dataset.looks === looks)
      return old;
    const hadFocus = old?.contains(document.activeElement) ? document.activeElement.getAttribute('aria-label') : null;
    const item = lineOf(line, product, problem);
    item.dataset.looks = looks;
    if (hadFocus)
      queueMicrotask(() => item.querySelector(`[aria-label="${CSS.escape(hadFocus)}"]`)?.focus());
    return item;
  }));
}

/** What is wrong with a line; null where it can be had. */
export function problemOf({ quantity }, product) {
  if (product === null)
    return 'Is not sold any more.';
  if (!product || product.available >= quantity)
    return null;
  return product.available <= 0 ? 'Is sold out.' : `Only ${product.available} are left.`;
}

function lineOf({ sku, quantity }, product, problem) {
  const name = product?.name ?? sku;
  const least = product && product.available > 0 && product.available < quantity;
  return element('li', { class: 'line', 'data-sku': sku },
    framedPicture(sku),
    element('div', { class: 'line-text' },
      element('a', { class: 'line-name', href: `/products/${encodeURIComponent(sku)}` }, name),
      product ? element('p', { class: 'small muted number' }, `${money(product.price)} each`) : null,
      problem ? element('p', { class: 'field-error' }, problem, ' ',
        least ? element('button', { class: 'link', type: 'button', onclick: () => basket.set(sku, product.available) }, `Take ${product.available}`) : null) : null),
    quantityInput(name, quantity, basket.mostPieces, chosen => basket.set(sku, chosen)),
    element('p', { class: 'line-price number' }, product ? money({ ...product.price, amount: Math.round(product.price.amount * 100) * quantity / 100 }) : ''),
    element('button', { class: 'link small', type: 'button', 'aria-label': `Remove ${name}`, onclick: () => basket.set(sku, 0) }, 'Remove'));
}

/** Shows that there is nothing in the basket, where that is so. */
export function isEmpty(main) {
  if (basket.lines().length > 0)
    return false;
  main.replaceChildren(element('div', { class: 'state' }, element('h1', {}, 'The basket is empty'), element('a', { class: 'button primary', href: '/' }, 'See what there is')));
  return true;
}
