// SPDX-License-Identifier: Apache-2.0
// The live terminal: xterm.js on ve-term.v1.  The shell belongs to the
// environment; this only looks at it, from wherever it was left.
import { guard, speaker } from '/static/term_guard.js';
import { keys, tools } from '/static/term_keys.js';
import { draw } from '/static/term_view.js';

const HELLO = 1, DATA = 2, SNAPSHOT = 3, EXIT = 5, NOTICE = 6;
const AUTH = 16, INPUT = 17, RESIZE = 18, ACK = 19, PING = 20;
const OUTDATED = 4000; // ours: no close of the server's
const ACK_EVERY = 32768, INPUT_MAX = 65536;
const PING_MS = 20000, SILENT_MS = 30000, LOOK_MS = 10000;

const RESET = '\x1bc'; // written, so that it does not overtake what is still to be printed

const box = document.getElementById('terminal');
const status = document.getElementById('terminal-status');
const screen = document.getElementById('terminal-screen');
const { term, fit } = draw(box, screen);

let socket = null;
let next = 0;        // the number of the byte that comes next
let rendered = 0, acked = 0;
let known = 0;       // what was printed before we came ends here
let ended = false;   // the shell is gone; a key starts another
let final = false;   // no way back without a person
let tries = 0, refused = 0, retry = 0, heard = 0;

function say(text, state = 'off', link = null) {
  status.dataset.state = state;
  status.textContent = text;
  if (link) {
    const a = document.createElement('a');
    a.href = link[0];
    a.textContent = link[1];
    status.append(' ', a);
  }
}

function sendBytes(type, bytes) {
  const out = new Uint8Array(bytes.length + 1);
  out[0] = type;
  out.set(bytes, 1);
  if (socket?.readyState === WebSocket.OPEN) socket.send(out);
}

function sendNumber(type, n) {
  const view = new DataView(new ArrayBuffer(8));
  view.setBigUint64(0, BigInt(n));
  sendBytes(type, new Uint8Array(view.buffer));
}

function sendSize() {
  const view = new DataView(new ArrayBuffer(4));
  view.setUint16(0, term.cols);
  view.setUint16(2, term.rows);
  sendBytes(RESIZE, new Uint8Array(view.buffer));
}

function type(text) {
  if (ended) {
    next = 0; // of another shell's output we know nothing
    term.write(RESET);
    start();
    return;
  }
  const bytes = new TextEncoder().encode(text);
  for (let i = 0; i < bytes.length; i += INPUT_MAX) sendBytes(INPUT, bytes.subarray(i, i + INPUT_MAX));
}

function write(bytes) {
  const from = socket, upTo = next;
  term.write(bytes, () => {
    if (from !== socket) return;
    rendered = upTo;
    if (rendered - acked >= ACK_EVERY) sendNumber(ACK, acked = rendered);
  });
}

function onHello(view) {
  const low = Number(view.getBigUint64(3)), high = Number(view.getBigUint64(11));
  // a terminal that is younger than what we know is another one
  if (next > high || next < low) {
    term.write(RESET);
    next = low;
  }
  rendered = acked = next;
  known = high;
  tries = refused = 0;
  say('Connected', 'open');
  sendSize();
}

function onData(view, bytes) {
  const seq = Number(view.getBigUint64(1)), known = next - seq;
  if (known >= bytes.length) return;
  next = seq + bytes.length;
  write(known > 0 ? bytes.subarray(known) : bytes);
}

function onMessage(event) {
  const view = new DataView(event.data), bytes = new Uint8Array(event.data);
  heard = Date.now();
  switch (view.getUint8(0)) {
    case HELLO:
      onHello(view);
      break;
    case DATA:
      onData(view, bytes.subarray(9));
      break;
    case SNAPSHOT:
      next = Number(view.getBigUint64(1));
      term.write(RESET);
      write(bytes.subarray(9));
      break;
    case EXIT:
      ended = true;
      say(`The shell has ended (status ${view.getUint32(1)}). Press a key for a new one.`);
      break;
    case NOTICE:
      say(new TextDecoder().decode(bytes.subarray(7)), 'open');
  }
}

// What a close means; the codes are those of ve-term.v1.
function onClose(event) {
  if (event.target !== socket) return;
  socket = null;
  if (ended) return;
  switch (event.code) {
    case 4401:
      final = true;
      return say('Your session has ended.', 'off', ['/login', 'Log in again']);
    case 4403:
      final = true;
      return say('This environment is suspended.');
    case 4404:
      say('The environment is not running. The terminal comes back when it is.');
      return awaitRunning();
    case 4429:
      final = true;
      return say('Too many terminals are open.');
    case OUTDATED:
      final = true;
      return say('This page is out of date.', 'off', [location.href, 'Reload']);
    case 4409:
      if (++refused >= 3) {
        final = true;
        return say('The terminal was refused.', 'off', [location.href, 'Reload']);
      }
  }
  const wait = Math.min(500 * 2 ** tries++, 10000);
  say('Not connected. Trying again…');
  clearTimeout(retry);
  retry = setTimeout(connect, wait);
}

// Looks, and does not wake: a stopped environment stays so until it is asked for.
async function awaitRunning() {
  clearTimeout(retry);
  retry = setTimeout(async () => {
    const reply = await fetch(`/api/v1/ves/${box.dataset.veid}`).catch(() => null);
    if (reply?.ok && (await reply.json()).state === 'running') start();
    else if (reply?.status === 401) onClose({ target: socket, code: 4401 });
    else awaitRunning();
  }, 1500);
}

async function ticket() {
  const reply = await fetch(`/api/v1/ves/${box.dataset.veid}/tickets`, {
    method: 'POST',
    headers: { 'X-CSRF-Token': box.dataset.csrf },
  });
  const answer = await reply.json();
  if (reply.ok) return answer.ticket;
  const code = answer.type?.endsWith(':csrf') ? OUTDATED
    : { 401: 4401, 403: 4403, 404: 4404, 409: 4404, 429: 4429 }[reply.status] ?? 1013;
  throw Object.assign(new Error('no ticket'), { code });
}

async function connect() {
  if (socket || final) return;
  const mine = socket = { readyState: -1, close() {} }; // holds the place
  let word;
  try {
    word = await ticket();
  } catch (e) {
    if (socket === mine) onClose({ target: mine, code: e.code ?? 1006 });
    return;
  }
  if (socket !== mine) return;
  const at = `wss://${location.host}/ves/${box.dataset.veid}/terminals/${box.dataset.name}/ws`;
  socket = new WebSocket(`${at}?from=${next}&cols=${term.cols}&rows=${term.rows}`, 've-term.v1');
  socket.binaryType = 'arraybuffer';
  heard = Date.now();
  socket.onopen = () => sendBytes(AUTH, new TextEncoder().encode(word));
  socket.onmessage = onMessage;
  socket.onclose = onClose;
}

function start() {
  const old = socket;
  ended = false;
  tries = 0;
  socket = null;
  old?.close();
  say('Connecting…');
  clearTimeout(retry);
  connect();
}

// A ping, and another connection when nothing is heard in time.  Pages out of sight have their timers once a minute.
function probe(within) {
  if (socket?.readyState !== WebSocket.OPEN) return;
  const mine = socket, at = Date.now();
  sendNumber(PING, at);
  setTimeout(() => {
    if (mine === socket && heard < at) start();
  }, within);
}
setInterval(() => probe(SILENT_MS), PING_MS);
document.addEventListener('visibilitychange', () => document.hidden || probe(LOOK_MS));
addEventListener('online', () => ended || final || start());

new ResizeObserver(() => fit.fit()).observe(screen);
term.onResize(sendSize);
term.textarea.addEventListener('focus', sendSize); // another window may have set its own

guard(term, screen, box.querySelector('.console-name'));
term.onData(speaker(keys(term, type), () => rendered >= known));
term.onBinary((text) => sendBytes(INPUT, Uint8Array.from(text, (c) => c.charCodeAt(0))));
const reader = tools(term, () => fit.fit());

// The way out of the keyboard trap.  Some systems keep one of the two for themselves.
term.textarea.setAttribute('aria-describedby', 'terminal-hint');
term.attachCustomKeyEventHandler((e) => {
  if (!(e.ctrlKey && e.shiftKey && ['Escape', 'F6'].includes(e.key))) return true;
  if (e.type === 'keydown') reader.focus();
  return false;
});

start();
if (document.documentElement.classList.contains('full')) term.focus();
