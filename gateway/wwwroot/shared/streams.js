// Server-sent events that go on where they were cut off.
import { pause } from './api.js';

const retrySeconds = [.5, 1, 2, 4, 8];

/**
 * Reads a stream to its end: calls `onEvent` with the data of each event, once and in order. `open(last, signal)` opens it after the event with the id
 * `last`, or returns null where nothing comes any more. What cuts it is told to `onCut`, and `onOpen` when it goes on. (An EventSource would give up
 * for good when it is told that a service is away for a moment.)
 */
export async function follow(open, { signal, onEvent, onOpen, onCut }) {
  let last = null;
  for (let failures = 0; !signal.aborted;) {
    try {
      const body = await open(last, signal);
      if (body === null)
        return;
      onOpen();
      let isEmpty = true;
      for await (const event of serverSentEvents(body)) {
        failures = 0;
        isEmpty = false;
        last = event.id;
        onEvent(JSON.parse(event.data));
      }
      // it ended in good order, as when a token expires: it goes on, but not as fast as it ends
      if (isEmpty)
        await pause(retrySeconds[0], signal);
    } catch (problem) {
      if (signal.aborted)
        return;
      if (problem.status >= 400 && problem.status < 500 && problem.status !== 429)
        throw problem;
      onCut(problem);
      await pause(problem.retryAfter ?? retrySeconds[Math.min(failures++, retrySeconds.length - 1)], signal).catch(() => {});
    }
  }
}

/** The events of a stream, their ids and data: as much of the HTML Standard's section 9.2.6 as the shop makes use of. */
async function* serverSentEvents(body) {
  let event = { id: null, data: [] };
  let rest = '';
  for await (const text of chunks(body)) {
    const lines = (rest + text).split('\n');
    rest = lines.pop();
    for (const line of lines) {
      if (line.startsWith('data: '))
        event.data.push(line.slice('data: '.length));
      else if (line.startsWith('id: '))
        event.id = line.slice('id: '.length);
      else if (line === '' && event.data.length > 0) {
        yield { id: event.id, data: event.data.join('\n') };
        event = { id: event.id, data: [] };
      }
    }
  }
}

/** Not every browser can iterate over a stream itself. */
async function* chunks(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  for (let chunk = await reader.read(); !chunk.done; chunk = await reader.read())
    yield chunk.value;
}
