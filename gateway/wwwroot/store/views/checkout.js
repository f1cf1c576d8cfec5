// Check-out: what, where to, how it is paid, on one page.
import * as api from '../../shared/api.js';
import { element, money } from '../../shared/dom.js';
import { clearProblem, field, fieldError, showProblem } from '../../shared/forms.js';
import * as basket from '../basket.js';
import { currentSession } from '../../shared/session.js';
import { isEmpty, productsOf, showLines, totalsOf } from './basket.js';

const submissionKey = 'shop.submission';
const addressKey = name => `shop.address.${name ?? ''}`;
// to begin with, each somebody's own: that many people order to one address is what the screening of payments looks for
const firstAddresses = {
  ada: { name: 'Ada Lovelace', street: '12 St James Square', postalCode: 'SW1Y 4JH', city: 'London', country: 'GB' },
  grace: { name: 'Grace Hopper', street: '1 Harbour View', postalCode: '02110', city: 'Boston', country: 'US' },
  linus: { name: 'Linus', street: 'Mannerheimintie 10', postalCode: '00100', city: 'Helsinki', country: 'FI' },
  olga: { name: 'Olga', street: 'Hauptstraße 1', postalCode: '1010', city: 'Wien', country: 'AT' },
};
const countries = ['AT', 'AU', 'BE', 'BR', 'CA', 'CH', 'CZ', 'DE', 'DK', 'ES', 'FI', 'FR', 'GB', 'GR', 'HU', 'IE', 'IN', 'IT', 'JP', 'KR', 'LU', 'MX', 'NL', 'NO', 'NZ', 'PL', 'PT', 'RO', 'SE', 'SI', 'SK', 'US'];
const waysToPay = [
  ['tok_visa', 'Visa', 'Is accepted at once.'],
  ['tok_slow', 'Slow bank', 'Is accepted after three seconds: time to watch, or to cancel.'],
  ['tok_flaky', 'Flaky bank', 'Fails twice, and is accepted then.'],
  ['tok_declined', 'Empty card', 'Is declined: the order is cancelled, and the stock given back.'],
  ['tok_silent', 'Silent bank', 'Accepts and never answers: the shop has to find out by itself.'],
];

export async function showCheckout({ main, signal, title, go }) {
  title('Check-out');
  if (isEmpty(main))
    return;
  main.replaceChildren(element('h1', {}, 'Check-out'), element('div', { class: 'panel skeleton', 'aria-hidden': 'true' }, ' '));
  const [{ name }, loaded] = await Promise.all([currentSession(), productsOf(basket.lines(), signal)]);
  if (signal.aborted)
    return;
  let products = loaded;
  let lineErrors = {};
  const list = element('ul', { class: 'lines' });
  const total = element('p', { class: 'sum number' });
  const submit = element('button', { class: 'button primary wide' });
  const form = element('form', { class: 'checkout', novalidate: true },
    element('div', { class: 'checkout-fields' },
      element('section', { class: 'panel' }, element('h2', {}, 'Basket'), list, fieldError('lines')),
      element('section', { class: 'panel' }, element('h2', {}, 'Address'), addressFields(name)),
      element('section', { class: 'panel' }, paymentChoices())),
    element('aside', { class: 'panel checkout-sum' },
      element('h2', {}, 'Your order'), total, fieldError('expectedTotal'),
      element('div', { class: 'notice bad', 'data-problem': true, role: 'alert', tabindex: '-1', hidden: true }),
      name ? submit : element('a', { class: 'button primary wide', href: '/sign-in?return=%2Fcheckout' }, 'Sign in to order'),
      element('p', { class: 'small muted' }, 'Nothing real is ordered or paid: the bank is a test, and each way to pay says how it will behave.')));
  main.replaceChildren(element('h1', {}, 'Check-out'), form);
  api.notice({ type: 'CheckoutStarted' });

  const showSum = () => {
    if (isEmpty(main))
      return;
    showLines(list, products, basket.lines(), lineErrors);
    const totals = totalsOf(products, basket.lines()).map(money).join(' + ');
    total.textContent = totals;
    submit.textContent = `Order for ${totals}`;
  };
  basket.onChange(() => {
    lineErrors = {};
    showSum();
  }, signal);
  form.addEventListener('input', () => localStorage.setItem(addressKey(name), JSON.stringify(addressOf(form))));
  form.addEventListener('submit', async event => {
    event.preventDefault();
    clearProblem(form);
    lineErrors = {};
    submit.disabled = true;
    submit.textContent = 'Ordering…';
    try {
      const order = await submitBasket(form, products);
      if (!signal.aborted)
        go(`/orders/${order.id}`);
    } catch (problem) {
      if (signal.aborted)
        return;
      if (problem.status === 401)
        return go('/sign-in?return=%2Fcheckout');
      // a price or the stock is not what it was
      products = await productsOf(basket.lines(), signal).catch(() => products);
      lineErrors = ofLines(problem);
      if (problem.details.total)
        problem.errors.expectedTotal = [`A price has changed: it would be ${money(problem.details.total)} now. Nothing is ordered yet.`];
      showProblem(form, problem);
    } finally {
      submit.disabled = false;
      // the page may be another's by now
      if (!signal.aborted)
        showSum();
    }
  });
}

async function submitBasket(form, products) {
  const lines = basket.lines();
  const body = {
    lines: lines.map(({ sku, quantity }) => ({ sku, quantity })),
    payment: { token: form.elements.token.value },
    shipTo: addressOf(form),
    expectedTotal: totalsOf(products, lines)[0],
  };
  const order = await api.submitOrder(body, keyOf(body));
  sessionStorage.removeItem(submissionKey);
  basket.takeOut(lines);
  return order;
}

/** The idempotency key of a submission: the same for as long as the same is submitted, so that trying again never orders twice. */
function keyOf(body) {
  const kept = JSON.parse(sessionStorage.getItem(submissionKey) ?? 'null');
  const text = JSON.stringify(body);
  if (kept?.text === text)
    return kept.key;
  const key = api.newKey();
  sessionStorage.setItem(submissionKey, JSON.stringify({ text, key }));
  return key;
}

/** What the problem says of single lines, by their place; taken out of it, since it is shown there. */
function ofLines(problem) {
  const found = {};
  for (const [name, messages] of Object.entries(problem.errors)) {
    const place = /^lines\[(\d+)\]/.exec(name)?.[1];
    if (place === undefined)
      continue;
    found[place] = messages.join(' ');
    delete problem.errors[name];
  }
  if (Object.keys(found).length > 0)
    problem.errors.lines = ['Not everything can be ordered like this.'];
  return found;
}

function addressFields(name) {
  const address = JSON.parse(localStorage.getItem(addressKey(name)) ?? 'null') ?? firstAddresses[name] ?? {};
  const names = new Intl.DisplayNames('en', { type: 'region' });
  const text = (autocomplete, value) => element('input', { autocomplete, value: value ?? '', maxlength: 200 });
  const country = element('select', { autocomplete: 'country' }, ...countries
    .map(code => [code, names.of(code)]).sort((one, other) => one[1].localeCompare(other[1]))
    .map(([code, label]) => element('option', { value: code, selected: code === (address.country ?? 'AT') }, label)));
  return element('div', { class: 'fields' },
    field('shipTo.name', 'Name', text('name', address.name ?? name)),
    field('shipTo.street', 'Street and number', text('street-address', address.street)),
    element('div', { class: 'fields-row' },
      field('shipTo.postalCode', 'Postal code', text('postal-code', address.postalCode)),
      field('shipTo.city', 'City', text('address-level2', address.city))),
    field('shipTo.country', 'Country', country));
}

function addressOf(form) {
  const value = name => form.elements[`shipTo.${name}`].value.trim();
  return { name: value('name'), street: value('street'), city: value('city'), postalCode: value('postalCode'), country: value('country') };
}

function paymentChoices() {
  return element('fieldset', { class: 'choices' },
    element('legend', {}, element('h2', {}, 'Way to pay')),
    ...waysToPay.map(([token, label, happens], index) => element('label', { class: 'choice' },
      element('input', { type: 'radio', name: 'token', value: token, checked: index === 0, 'aria-describedby': 'error-payment' }),
      element('span', {}, element('span', { class: 'choice-name' }, label, ' ', element('code', { class: 'muted' }, token)), element('span', { class: 'small muted' }, happens)))),
    fieldError('payment'));
}
