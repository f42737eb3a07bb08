// SPDX-License-Identifier: Apache-2.0
// Keeps figures on a page fresh.  The page is complete without it.

function show(root, values) {
  for (const at of root.querySelectorAll('[data-field]')) {
    const value = values[at.dataset.field];
    if (value !== undefined && typeof value !== 'object' && at.textContent !== String(value))
      at.textContent = value;
  }
}

async function get(path) {
  const reply = await fetch(path, { headers: { Accept: 'application/json' } });
  if (!reply.ok) throw Object.assign(new Error(reply.statusText), { status: reply.status });
  return reply.json();
}

// Calls fn now and again, more slowly while the page is hidden or things fail.
function every(ms, fn) {
  let wait = ms;
  const turn = async () => {
    if (!document.hidden) {
      try {
        await fn();
        wait = ms;
      } catch {
        wait = Math.min(wait * 2, 60000);
      }
    }
    setTimeout(turn, wait);
  };
  setTimeout(turn, ms);
}

const time = (at) => `${new Date(at).toLocaleString('en-GB', { dateStyle: 'medium', timeStyle: 'short', timeZone: 'UTC' })} UTC`;

const SOON = { sleep: 'Goes to sleep at', stop: 'Asleep; stopped at', archive: 'Packed away at', end: 'Stops at' };

// What is about to happen, with the one key against it.
function showSoon(soon) {
  const form = document.getElementById('soon');
  form.hidden = !soon;
  if (!soon) return;
  const words = `${SOON[soon.what]} ${time(soon.at)}, if nothing happens.`;
  const line = form.querySelector('[data-soon]');
  if (line.textContent !== words) line.textContent = words; // said once, not every two seconds
}

function watchVe(ve) {
  const url = `/api/v1/ves/${ve.dataset.veid}`;
  every(2000, async () => {
    let now;
    try {
      now = await get(url);
    } catch (e) {
      if (e.status === 404 || e.status === 401) location.assign('/home');
      throw e;
    }
    const state = ve.querySelector('[data-state]');
    ve.dataset.state = state.dataset.state = now.state;
    const pace = now.waiting_minutes ? `, which may take about ${now.waiting_minutes} min` : '';
    now.ipv4 ??= now.waiting ? `number ${now.waiting} in the line for one${pace}` : 'none at the moment';
    now.activity = now.activity ? `active: ${now.activity}` : 'nothing seen yet';
    showSoon(now.soon);
    now.job = now.job && (now.job.state === 'queued' || now.job.state === 'running')
      ? `${now.job.kind}: ${now.job.stage || 'waiting'}` : '';
    if (now.delete_at) now.delete_at = time(now.delete_at);
    show(document, now);
    for (const form of document.querySelectorAll('[data-when]'))
      form.hidden = !form.dataset.when.split(' ').includes(now.state);
    for (const alert of document.querySelectorAll('[data-if]'))
      alert.hidden = !now[alert.dataset.if];
  });
}

const ve = document.getElementById('ve');
if (ve) watchVe(ve);
if (document.querySelector('[data-field=free]'))
  every(5000, async () => show(document, await get('/api/v1/capacity')));

// The line: a place a message; without a place it is one's turn.
function hearLine(queue) {
  const source = new EventSource('/home/events');
  source.addEventListener('queue', (e) => {
    const now = JSON.parse(e.data);
    if (now) show(queue, now);
    else location.assign('/home');
  });
  source.addEventListener('end', () => location.assign('/home'));
  // lost connections come back by themselves, refusals do not
  source.onerror = () => {
    if (source.readyState === EventSource.CLOSED) setTimeout(() => hearLine(queue), 5000);
  };
}
const queue = document.getElementById('queue');
if (queue) hearLine(queue);
