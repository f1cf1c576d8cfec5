// The catalogue as cards.
import * as api from './api.js';
import { element, money } from './dom.js';
import { picture } from './pictures.js';

const list = document.querySelector('#catalog');
const message = document.querySelector('#catalog-message');
const shown = new Map();

// a product is viewed when its card comes into sight, once
const inSight = new IntersectionObserver(cards => {
  for (const { target, isIntersecting } of cards) {
    if (!isIntersecting)
      continue;
    inSight.unobserve(target);
    api.notice({ type: 'ProductViewed', sku: target.dataset.sku });
  }
});

/** Loads and shows the catalogue; `onOrder(product)` is called by a card's button. */
export async function showCatalog(onOrder) {
  say(list.children.length === 0 ? 'Loading…' : '');
  try {
    const products = await api.catalog();
    const cards = products.map(product => {
      const card = createCard(product, onOrder);
      shown.set(product.sku, card);
      return card.node;
    });
    list.replaceChildren(...cards);
    cards.forEach(card => inSight.observe(card));
    say(products.length === 0 ? 'There is nothing in the catalogue yet.' : '');
  } catch (problem) {
    say(`The catalogue could not be loaded: ${problem.message}`, true);
    return false;
  }
  return true;
}

/** What can be had of a product now, as far as the page knows. */
export const available = sku => shown.get(sku)?.available ?? 0;

/** Asks how much is left of a product, and shows it. */
export async function refreshStock(sku) {
  try {
    shown.get(sku)?.show((await api.stock(sku)).available);
  } catch {
    // the number on the card is a hint; the order decides
  }
}

function createCard(product, onOrder) {
  const stock = element('p', { class: 'stock' });
  const card = {
    available: 0,
    node: element('li', { class: 'card', 'data-sku': product.sku },
      element('div', { class: 'frame' }, picture(product.sku)),
      element('h3', {}, product.name),
      element('p', { class: 'description' }, product.description ?? ''),
      element('div', { class: 'buy' },
        element('div', {}, element('p', { class: 'price' }, money(product.price)), stock),
        // sold out may be ordered too: seeing the order fail is what the page is for
        element('button', { class: 'primary', 'aria-label': `Order ${product.name}`, onclick: () => onOrder(product) }, 'Order'))),
    show(available) {
      card.available = available;
      stock.textContent = available > 0 ? `${available} in stock` : 'sold out';
      stock.classList.toggle('low', available < 10);
    },
  };
  card.show(product.available);
  return card;
}

function say(text, isError = false) {
  message.textContent = text;
  message.hidden = !text;
  message.classList.toggle('problem', isError);
}
