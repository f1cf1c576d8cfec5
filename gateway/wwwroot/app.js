// The page: the catalogue, an order with one click, its events.
import * as api from './api.js';
import { available, refreshStock, showCatalog } from './catalog.js';
import { clear, showProblem, watch } from './timeline.js';

const catalogRetryMilliseconds = 2000;
const choices = document.querySelector('#choices');
const login = document.querySelector('#login');
const signedIn = document.querySelector('#signed-in');

login.elements.name.value = api.shopper();
login.elements.name.addEventListener('input', () => signedIn.textContent = '');
login.addEventListener('submit', async event => {
  event.preventDefault();
  try {
    await signIn();
  } catch (problem) {
    clear();
    showProblem(problem);
  }
});
choices.addEventListener('submit', event => event.preventDefault());

async function signIn() {
  await api.signIn(login.elements.name.value);
  signedIn.textContent = '✓';
  signedIn.setAttribute('aria-label', `Signed in as ${api.shopper()}`);
}

async function order(product) {
  if (!login.reportValidity())
    return;
  const signal = clear();
  const { quantity: choice, token } = Object.fromEntries(new FormData(choices));
  try {
    const refresh = () => refreshStock(product.sku);
    if (choice === 'excess')
      await refresh();
    const quantity = choice === 'excess' ? available(product.sku) + 1 : Number(choice);
    api.notice({ type: 'CartChanged', sku: product.sku, quantity }, { type: 'CheckoutStarted' });
    // the name counts as typed, with or without the button
    await signIn();
    const submitted = await api.submitOrder({
      lines: [{ sku: product.sku, quantity }],
      payment: { token },
      shipTo: { name: api.shopper(), street: 'Hauptstraße 1', city: 'Wien', postalCode: '1010', country: 'AT' },
    }, crypto.randomUUID());
    await watch(signal, submitted, `${quantity} × ${product.name}`, refresh);
  } catch (problem) {
    showProblem(problem);
  }
}

async function start() {
  // while the shop is starting its services are away: asked again until they are there
  while (!await showCatalog(order))
    await new Promise(resolve => setTimeout(resolve, catalogRetryMilliseconds));
}

start();
