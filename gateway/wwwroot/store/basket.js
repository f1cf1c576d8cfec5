// What is to be ordered: kept by the browser, for all of its tabs.
import { notice } from '../shared/api.js';

const key = 'shop.basket';

/** The most pieces of a product, and products, that an order takes. */
export const mostPieces = 1000, mostLines = 50;

const listeners = new EventTarget();

/** `[{sku, quantity}]`. */
export function lines() {
  try {
    return JSON.parse(localStorage.getItem(key) ?? '[]').filter(line => typeof line.sku === 'string' && Number.isInteger(line.quantity));
  } catch {
    return [];
  }
}

export const pieces = () => lines().reduce((sum, line) => sum + line.quantity, 0);

/** Adds pieces of a product; false where the basket takes no further product. */
export function add(sku, quantity) {
  const known = lines().find(line => line.sku === sku);
  if (!known && lines().length >= mostLines)
    return false;
  set(sku, (known?.quantity ?? 0) + quantity);
  return true;
}

/** Makes it `quantity` pieces; none takes the product out. */
export function set(sku, quantity) {
  const others = lines();
  const index = others.findIndex(line => line.sku === sku);
  const line = { sku, quantity: Math.min(quantity, mostPieces) };
  others.splice(index < 0 ? others.length : index, index < 0 ? 0 : 1, ...quantity > 0 ? [line] : []);
  save(others);
  notice({ type: 'CartChanged', sku, quantity: line.quantity });
}

/** Takes out what was ordered; what was added meanwhile stays. */
export function takeOut(ordered) {
  const pieces = new Map(ordered.map(({ sku, quantity }) => [sku, quantity]));
  save(lines().map(({ sku, quantity }) => ({ sku, quantity: quantity - (pieces.get(sku) ?? 0) })).filter(({ quantity }) => quantity > 0));
}

/** Calls `listener` now and whenever the basket changes, in this tab or another, until `signal` says otherwise. */
export function onChange(listener, signal) {
  listeners.addEventListener('change', listener, { signal });
  addEventListener('storage', event => event.key === key && listener(), { signal });
  listener();
}

function save(lines) {
  localStorage.setItem(key, JSON.stringify(lines));
  listeners.dispatchEvent(new Event('change'));
}
