// Revenue over time, for each currency by itself: amounts of different ones have no sum.

/** The currencies of windows of time, the one of the most windows first. */
export function currenciesOf(windows) {
  const found = new Map();
  for (const { currency } of windows.flatMap(({ revenue }) => revenue))
    found.set(currency, (found.get(currency) ?? 0) + 1);
  return [...found].sort(([one, ones], [other, others]) => others - ones || one.localeCompare(other)).map(([currency]) => currency);
}

/** What a window brought in a currency. */
export const revenueIn = (currency, { revenue }) => revenue.find(one => one.currency === currency)?.amount ?? 0;
