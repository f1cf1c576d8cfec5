// The gateway's API, with a development token for the name of the shopper.

/** An answer that is an error: its ProblemDetails (RFC 9457) and status. */
export class Problem extends Error {
  constructor(status, details) {
    super(details?.detail ?? details?.title ?? `The shop answered ${status}.`);
    this.status = status;
    this.title = details?.title ?? 'Error';
    this.detail = details?.detail;
    this.errors = details?.errors ?? {};
  }
}

// one for each shopper; outlives a reload and ends with the tab
const storageKey = name => `shop.token.${name}`;

export function shopper() {
  return sessionStorage.getItem('shop.name') ?? 'ada';
}

/** From now on it is `name` who shops. */
export async function signIn(name) {
  sessionStorage.setItem('shop.name', name);
  await token();
}

async function token() {
  const name = shopper();
  const kept = JSON.parse(sessionStorage.getItem(storageKey(name)) ?? 'null');
  if (kept && kept.until > Date.now())
    return kept.token;
  const answer = await send('POST', '/api/dev/token', { body: { name } }).catch(problem => {
    throw problem.status === 404
      ? new Problem(404, { title: 'Nobody can sign in here', detail: 'Tokens for any name are handed out in Development only.' })
      : problem;
  });
  // a minute early: what is on its way must arrive in time
  const until = Date.now() + (answer.expires_in - 60) * 1000;
  sessionStorage.setItem(storageKey(name), JSON.stringify({ token: answer.access_token, until }));
  return answer.access_token;
}

async function send(method, path, { body, headers = {} } = {}) {
  let response;
  try {
    response = await fetch(path, {
      method,
      headers: { accept: 'application/json', ...(body && { 'content-type': 'application/json' }), ...headers },
      body: body && JSON.stringify(body),
    });
  } catch {
    throw new Problem(0, { title: 'The shop cannot be reached', detail: 'Is it running?' });
  }
  const isJson = response.headers.get('content-type')?.includes('json');
  const answer = isJson ? await response.json() : null;
  if (!response.ok)
    throw new Problem(response.status, answer);
  return answer;
}

async function sendSigned(method, path, { body, headers } = {}) {
  const withToken = async () => send(method, path, { body, headers: { ...headers, authorization: `Bearer ${await token()}` } });
  try {
    return await withToken();
  } catch (problem) {
    // the shop was reset and has a new key: the kept token is worth nothing
    if (problem.status !== 401)
      throw problem;
    sessionStorage.removeItem(storageKey(shopper()));
    return await withToken();
  }
}

/** All products, page by page. */
export async function catalog() {
  const items = [];
  for (let after = ''; after !== null;) {
    const page = await send('GET', `/api/catalog?limit=100${after && `&after=${encodeURIComponent(after)}`}`);
    items.push(...page.items);
    after = page.next ?? null;
  }
  return items;
}

/** `{sku, onHand, reserved, available, dispatched}` of one product. */
export const stock = sku => send('GET', `/api/stock/${encodeURIComponent(sku)}`);

/** Submits an order; `key` makes a repeated submit harmless. */
export const submitOrder = (order, key) => sendSigned('POST', '/api/orders', { body: order, headers: { 'idempotency-key': key } });

export const order = id => sendSigned('GET', `/api/orders/${id}`);

/** Every event of the order so far, in its order; none yet while Activity has not seen the first one. */
export async function timeline(id) {
  try {
    return await sendSigned('GET', `/api/orders/${id}/timeline`);
  } catch (problem) {
    if (problem.status === 404)
      return [];
    throw problem;
  }
}
