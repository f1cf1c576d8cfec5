// Lines over time, drawn by uPlot, which is loaded where a chart is.
import { count, element } from '../shared/dom.js';

const height = 200, path = '/vendor/uplot/uPlot';
let loaded;

const load = () => loaded ??= Promise.all([
  put(element('link', { rel: 'stylesheet', href: `${path}.min.css` })), put(element('script', { src: `${path}.iife.min.js` })),
]).then(() => globalThis.uPlot);

function put(node) {
  document.head.append(node);
  return new Promise((resolve, reject) => {
    node.addEventListener('load', resolve);
    node.addEventListener('error', () => reject(new Error('The chart could not be loaded.')));
  });
}

/** A chart of windows of time (`{from}`), a line for each `{label, hue, of(window)}`; beside it the same in words. */
export function lineChart(name, by, lines, signal) {
  const box = element('div', { class: 'chart', role: 'img', 'aria-label': name });
  const legend = element('ul', { class: 'legend' }, ...lines.map(({ label, hue }) => element('li', { 'data-hue': hue }, label)));
  const node = element('div', {}, legend, box);
  let plot = null, last = null;
  const draw = async () => {
    const uPlot = await load();
    if (signal.aborted || last === null)
      return;
    plot?.destroy();
    const style = getComputedStyle(box);
    const colour = role => {
      box.style.color = `var(${role})`;
      return style.color;
    };
    const axis = { stroke: colour('--muted'), grid: { stroke: colour('--border'), width: 1 }, ticks: { show: false }, font: '12px system-ui' };
    plot = new uPlot({
      width: box.clientWidth, height, legend: { show: false }, cursor: { points: { size: 6 } },
      scales: { y: { range: (_, __, most) => [0, Math.max(4, most * 1.1)] } },
      axes: [{ ...axis, size: 28, values: (_, ticks) => ticks.map(tick => timeOf(tick, by)) }, { ...axis, size: 46, values: (_, ticks) => ticks.map(count) }],
      series: [{}, ...lines.map(({ label, hue }) => ({ label, stroke: colour(hue), width: 2, points: { show: false } }))],
    }, dataOf(last), box);
    box.style.color = '';
  };
  const dataOf = windows => [windows.map(({ from }) => Date.parse(from) / 1000), ...lines.map(({ of }) => windows.map(of))];
  // its colours are those of the moment at which it is drawn
  const watched = new MutationObserver(draw);
  watched.observe(document.documentElement, { attributes: true, attributeFilter: ['data-theme'] });
  const sized = new ResizeObserver(() => plot && box.clientWidth > 0 && plot.width !== box.clientWidth && plot.setSize({ width: box.clientWidth, height }));
  sized.observe(box);
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', draw, { signal });
  signal.addEventListener('abort', () => {
    watched.disconnect();
    sized.disconnect();
    plot?.destroy();
  });
  return {
    node,
    show(windows) {
      const isFirst = last === null;
      last = windows;
      box.setAttribute('aria-label', `${name}: ${lines.map(({ label, of }) => `${label} ${count(windows.reduce((sum, one) => sum + of(one), 0))}`).join(', ')}`);
      isFirst ? draw().catch(problem => box.replaceChildren(problem.message)) : plot?.setData(dataOf(windows));
    },
  };
}

function timeOf(seconds, by) {
  const at = new Date(seconds * 1000);
  return by === 'hour' && at.getHours() === 0 ? at.toLocaleDateString('en-GB', { day: 'numeric', month: 'short' }) : at.toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' });
}
