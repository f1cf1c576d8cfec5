// A picture for every product, drawn from its sku: "mug-blue" is a mug in blue.
import { element, svg } from './dom.js';

// colours, and the materials and patterns that have one
const colours = {
  black: '#33363d', white: '#fdfcf9', grey: '#8d949e', gray: '#8d949e', silver: '#b6bdc6', red: '#d8433f', blue: '#3f6fd8', navy: '#2c3e66',
  sky: '#62b3e6', green: '#3f9e63', olive: '#7f8a3c', mint: '#7cc9a5', yellow: '#f2c230', orange: '#ee8434', pink: '#e9809f', purple: '#8458c9',
  violet: '#8458c9', brown: '#8a5a3b', beige: '#d9c4a0', cream: '#efe3c8', teal: '#2f9c9c', gold: '#d3a437', natural: '#dcc9a3',
  canvas: '#dcc9a3', steel: '#a9b3bf', wool: '#b8735c', striped: '#34507f',
};

// each is drawn on 120 x 90 with `main`, the product's colour, and `dark`, for its lines and shades; `has` tells of a pattern
const drawings = {
  mug: (main, dark) => [
    svg('path', { d: 'M76 34h9a13 13 0 0 1 0 26h-9', fill: 'none', stroke: main, 'stroke-width': 7 }),
    svg('path', { d: 'M36 24h42v40a8 8 0 0 1-8 8H44a8 8 0 0 1-8-8z', fill: main }),
    svg('path', { d: 'M68 24h10v40a8 8 0 0 1-8 8h-8q6-2 6-10z', fill: dark, opacity: .25 }),
    svg('ellipse', { cx: 57, cy: 24, rx: 21, ry: 4, fill: dark, opacity: .55 }),
  ],
  shirt: (main, dark, has) => [
    svg('path', { d: 'M46 15q14 9 28 0l20 11-8 18-9-4v37H43V40l-9 4-8-18z', fill: main, 'stroke-linejoin': 'round' }),
    has('striped') && svg('path', { d: 'M43 43h34M43 52h34M43 61h34M43 70h34', stroke: '#fff', 'stroke-width': 4, opacity: .85 }),
    svg('path', { d: 'M46 15q14 12 28 0', fill: 'none', stroke: dark, 'stroke-width': 3, opacity: .5 }),
    svg('path', { d: 'M43 40v-8M77 40v-8', stroke: dark, 'stroke-width': 2, opacity: .35 }),
  ],
  hoodie: (main, dark) => [
    svg('path', { d: 'M45 20q15-14 30 0l17 10 4 36h-11l-6-22v34H41V44l-6 22H24l4-36z', fill: main }),
    svg('path', { d: 'M47 21q13 16 26 0q-13-9-26 0z', fill: dark, opacity: .45 }),
    svg('path', { d: 'M48 58h24l4 14H44zM56 31v12M64 31v12', fill: 'none', stroke: dark, 'stroke-width': 2.5, opacity: .4, 'stroke-linejoin': 'round' }),
  ],
  notebook: (main, dark, has) => [
    svg('rect', { x: 37, y: 14, width: 48, height: 64, rx: 4, fill: main }),
    svg('rect', { x: 37, y: 14, width: 9, height: 64, rx: 3, fill: dark, opacity: .35 }),
    has('dotted')
      ? svg('path', { d: 'M52 24h24M52 34h24M52 44h24M52 54h24M52 64h24', stroke: '#fff', 'stroke-width': 3, 'stroke-linecap': 'round', 'stroke-dasharray': '0 8' })
      : svg('rect', { x: 54, y: 26, width: 22, height: 12, rx: 2, fill: '#fff', opacity: .85 }),
    svg('path', { d: 'M79 14v64', stroke: dark, 'stroke-width': 2.5, opacity: .45 }),
  ],
  poster: (main, dark) => [
    svg('rect', { x: 36, y: 10, width: 48, height: 70, fill: '#fff', stroke: dark, 'stroke-width': 1, 'stroke-opacity': .3 }),
    svg('rect', { x: 40, y: 14, width: 40, height: 62, fill: main, opacity: .3 }),
    svg('circle', { cx: 67, cy: 31, r: 8, fill: main }),
    svg('path', { d: 'M40 64l13-20 11 14 6-7 10 12v13H40z', fill: main }),
    svg('path', { d: 'M40 70l16-9 24 11v4H40z', fill: dark, opacity: .35 }),
  ],
  cap: (main, dark) => [
    svg('path', { d: 'M32 68a26 26 0 0 1 52 0z', fill: main }),
    svg('path', { d: 'M62 64q28-1 38 9q-18 5-40-1z', fill: main }),
    svg('path', { d: 'M62 64q28-1 38 9q-18 5-40-1z', fill: dark, opacity: .4 }),
    svg('path', { d: 'M58 42v26', stroke: dark, 'stroke-width': 2, opacity: .35 }),
    svg('circle', { cx: 58, cy: 42, r: 3, fill: dark, opacity: .6 }),
  ],
  bag: (main, dark) => [
    svg('path', { d: 'M47 34V25a13 13 0 0 1 26 0v9', fill: 'none', stroke: dark, 'stroke-width': 3.5, opacity: .6 }),
    svg('path', { d: 'M35 33h50l4 45H31z', fill: main }),
    svg('path', { d: 'M35 33h50l.6 7H34.4z', fill: dark, opacity: .2 }),
  ],
  bottle: (main, dark) => [
    svg('rect', { x: 54, y: 8, width: 12, height: 9, rx: 2, fill: dark, opacity: .7 }),
    svg('path', { d: 'M55 18h10q0 7 5 11 3 3 3 8v38a6 6 0 0 1-6 6H53a6 6 0 0 1-6-6V37q0-5 3-8 5-4 5-11z', fill: main }),
    svg('path', { d: 'M53 40v32', stroke: '#fff', 'stroke-width': 3, opacity: .5, 'stroke-linecap': 'round' }),
  ],
  socks: (main, dark) => [
    svg('path', { d: 'M64 14h18v32l12 14q6 8-3 13-7 4-13-3L64 54z', fill: main }),
    svg('path', { d: 'M64 14h18v32l12 14q6 8-3 13-7 4-13-3L64 54z', fill: dark, opacity: .3 }),
    svg('path', { d: 'M40 16h20v33l13 14q7 8-3 14-8 4-14-3L40 56z', fill: main }),
    svg('path', { d: 'M40 22h20M40 28h20', stroke: '#fff', 'stroke-width': 2.5, opacity: .6 }),
  ],
  sticker: (main, dark) => [
    svg('path', { d: 'M60 12a33 33 0 1 1-2 66l-.6-.1q6-14-6-20-12-6-20 2A33 33 0 0 1 60 12z', fill: main }),
    svg('path', { d: 'M57.400 77.900q6-14-6-20-12-6-20 2z', fill: main }),
    svg('path', { d: 'M57.400 77.900q6-14-6-20-12-6-20 2z', fill: '#fff', opacity: .65 }),
    svg('path', { d: 'M64 26l4.500 9.200 10 1.500-7.300 7 1.800 10-9-4.800-9 4.800 1.800-10-7.300-7 10-1.500z', fill: '#fff', opacity: .9 }),
  ],
  pen: (main, dark) => [
    svg('path', { d: 'M82 12l12 12-48 48-15 5q-2 1-1-2l4-15z', fill: main }),
    svg('path', { d: 'M34 60l12 12-15 5q-2 1-1-2z', fill: dark, opacity: .6 }),
    svg('path', { d: 'M73 21l12 12', stroke: dark, 'stroke-width': 3, opacity: .45 }),
  ],
  lamp: (main, dark) => [
    svg('path', { d: 'M60 46v28M44 76h32', stroke: dark, 'stroke-width': 5, 'stroke-linecap': 'round', opacity: .7 }),
    svg('path', { d: 'M48 14h24l12 33H36z', fill: main }),
    svg('ellipse', { cx: 60, cy: 47, rx: 24, ry: 4, fill: '#ffe9a8' }),
  ],
  box: (main, dark) => [
    svg('path', { d: 'M60 14l32 14v34L60 78 28 62V28z', fill: main }),
    svg('path', { d: 'M60 44l32-16v34L60 78z', fill: dark, opacity: .35 }),
    svg('path', { d: 'M60 14l32 14-32 16-32-16z', fill: '#fff', opacity: .25 }),
    svg('path', { d: 'M44 21l32 15v10', fill: 'none', stroke: '#fff', 'stroke-width': 4, opacity: .55 }),
  ],
};

const otherNames = {
  cup: 'mug', tshirt: 'shirt', tee: 'shirt', sweater: 'hoodie', sweatshirt: 'hoodie', jumper: 'hoodie', book: 'notebook', notepad: 'notebook',
  print: 'poster', hat: 'cap', beanie: 'cap', tote: 'bag', backpack: 'bag', flask: 'bottle', sock: 'socks', stickers: 'sticker', pencil: 'pen',
};

/** What colour a product mostly is. */
export const colourOf = sku => sku.toLowerCase().split('-').map(word => colours[word]).find(Boolean) ?? `hsl(${hue(sku)} 52% 56%)`;

/** The picture of a product, for people who see it; its name stands beside it. */
export function picture(sku) {
  const words = sku.toLowerCase().split('-');
  const kind = words.map(word => otherNames[word] ?? word).find(word => drawings[word]) ?? 'box';
  const main = colourOf(sku);
  return svg('svg', { viewBox: '0 0 120 90', 'aria-hidden': 'true', class: 'picture' },
    svg('ellipse', { cx: 60, cy: 82, rx: 34, ry: 3.5, fill: '#000', opacity: .13 }),
    ...drawings[kind](main, '#101521', word => words.includes(word)));
}

/** The same on a ground in its colour. */
export function framedPicture(sku) {
  const frame = element('div', { class: 'frame' }, picture(sku));
  frame.style.setProperty('--tint', colourOf(sku));
  return frame;
}

function hue(text) {
  let sum = 0;
  for (const letter of text)
    sum = (sum * 31 + letter.codePointAt(0)) % 360;
  return sum;
}
