import { element } from '../shared/dom.js';

const few = 20;

/** How much there is of a product, in words. */
export function stockLine(available) {
  const text = available <= 0 ? 'Sold out' : available <= few ? `Only ${available} left` : `${available} in stock`;
  return element('p', { class: 'stock number', 'data-level': available <= 0 ? 'none' : available <= few ? 'few' : 'enough' }, text);
}

/** A choice of how many, calling `onChange` with the number. */
export function quantityInput(name, quantity, most, onChange) {
  const input = element('input', { type: 'number', min: 1, max: most, step: 1, value: quantity, inputmode: 'numeric', 'aria-label': `Quantity of ${name}`, class: 'number' });
  const step = by => () => {
    input.value = Math.min(most, Math.max(1, (Number(input.value) || 1) + by));
    onChange(Number(input.value));
  };
  input.addEventListener('change', () => {
    input.value = Math.min(most, Math.max(1, Math.round(Number(input.value)) || 1));
    onChange(Number(input.value));
  });
  return element('div', { class: 'quantity' },
    element('button', { type: 'button', 'aria-label': `One ${name} less`, onclick: step(-1) }, '−'), input,
    element('button', { type: 'button', 'aria-label': `One ${name} more`, onclick: step(1) }, '+'));
}
