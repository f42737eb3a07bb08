// SPDX-License-Identifier: Apache-2.0
// The visitors of tests/scale/subscribers: each is a subscriber who comes by one of many networks, opens the
// terminal, waits for the prompt, stays a while and goes: closes the tab, sends the VE to sleep, stops or deletes it.
// Who stays thinks and types; a VE that fell asleep meanwhile comes back for the key, with the next address.
// Beside them one reads the agent's events and one the kernel's address table.
import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import https from 'node:https';
import net from 'node:net';

const c = JSON.parse(process.env.VE_CONF);
const ca = readFileSync(c.ca);
const begin = Date.now(), end = begin + c.seconds * 1000;
const seen = { leases: [], table: [], table_doubles: [], looks: 0, whole: true, subscribers: 0, kinds: {} };
const times = { awake: [], idle: [], stopped: [], new: [], key: [] };
const states = new Map(); // by veid, as the agent's events say
let cycles = 0, visits = 0, failures = 0, waits = 0, over = false, lastEvent = 0;
const reasons = new Map();
const sleep = (ms) => new Promise((r) => setTimeout(r, ms));
const log = (text) => console.log(`${((Date.now() - begin) / 1000).toFixed(0)} s: ${text}`);

// ---- the agent's events ----
function onEvent(id, kind, data) {
  if (kind === 'resync') seen.whole = false;
  if (kind === 've') states.set(data.veid, data.state);
  if (kind !== 'lease') return;
  seen.leases.push([data.what, data.veid, data.address, data.epoch]);
  if (data.what === 'ended' && !data.address.includes(':')) cycles++;
}
function follow() {
  const request = https.get({ host: c.host, port: c.node, path: '/v1/events', ca, cert: readFileSync(c.cert),
    key: readFileSync(c.key), checkServerIdentity: () => undefined,
    headers: { 'Last-Event-ID': String(lastEvent) } }, (reply) => {
    let rest = '';
    reply.setEncoding('utf8');
    reply.on('data', (text) => {
      const parts = (rest + text).split('\n\n');
      rest = parts.pop();
      for (const part of parts) {
        const of = (name) => part.match(new RegExp(`^${name}: ?(.*)$`, 'm'))?.[1];
        if (!of('id')) continue;
        lastEvent = Number(of('id'));
        onEvent(lastEvent, of('event'), JSON.parse(of('data') || '{}'));
      }
    });
    reply.on('close', again);
  });
  const again = () => { if (!over) setTimeout(follow, 200); };
  request.on('error', again);
}

// ---- the kernel's table ----
let held = -1, most = 0; // addresses in the last whole look at it; in any
function watch() {
  const socket = net.connect(c.table, c.host);
  const known = new Set(), newest = new Map();
  let rest = '', now = new Map(), vets = new Map();
  socket.on('data', (bytes) => {
    const lines = (rest + bytes).split('\n');
    rest = lines.pop();
    for (const line of lines) {
      const [address, veid, epoch] = line.trim().split(/\s+/);
      if (line === '.') {
        seen.looks++;
        held = now.size;
        most = Math.max(most, held);
        now = new Map();
        vets = new Map();
      } else if (/^\d+\.\d+\.\d+\.\d+$/.test(address) && Number(veid)) {
        const v = Number(veid), e = Number(epoch);
        if (now.has(address)) seen.table_doubles.push(`${address} twice: ${now.get(address)} and ${v}`);
        if (vets.has(v)) seen.table_doubles.push(`${v} has ${vets.get(v)} and ${address}`);
        if (e < (newest.get(address) ?? 0)) seen.table_doubles.push(`${address}: epoch ${e} after ${newest.get(address)}`);
        newest.set(address, e);
        now.set(address, v);
        vets.set(v, address);
        if (!known.has(e)) seen.table.push([address, v, e]);
        known.add(e);
      }
    }
  });
  socket.on('error', () => {});
  socket.on('close', () => { if (!over) setTimeout(watch, 500); });
}

// ---- a subscriber ----
class Subscriber {
  constructor(n) {
    this.n = n;
    this.agent = new https.Agent({ keepAlive: true, maxSockets: 2, ca, localAddress: `127.1.${n % c.networks}.${1 + Math.floor(n / c.networks) % 250}` });
    this.cookies = new Map();
    this.veid = 0;
    this.busy = false;
  }
  headers(more = {}) {
    return { Host: `localhost:${c.port}`, Cookie: [...this.cookies].map(([k, v]) => `${k}=${v}`).join('; '), ...more };
  }
  call(method, path, body) {
    return new Promise((resolve, reject) => {
      const text = body === undefined ? '' : JSON.stringify(body);
      const request = https.request({ host: '127.0.0.1', servername: 'localhost', port: c.port, path: `/api/v1${path}`, method, agent: this.agent,
        timeout: 60000, headers: this.headers(method === 'GET' ? {} : { 'Content-Type': 'application/json',
          'Content-Length': Buffer.byteLength(text), 'X-CSRF-Token': this.csrf ?? '' }) }, (reply) => {
        let got = '';
        for (const cookie of reply.headers['set-cookie'] ?? []) {
          const [, k, v] = cookie.match(/^([^=]+)=([^;]*)/);
          this.cookies.set(k, v);
        }
        reply.on('data', (b) => { got += b; });
        reply.on('end', () => {
          let json = null;
          try { json = JSON.parse(got); } catch { /* not JSON */ }
          resolve({ status: reply.statusCode, json });
        });
      });
      request.on('timeout', () => request.destroy(new Error('timeout')));
      request.on('error', reject);
      request.end(text);
    });
  }
  async must(method, path, body, fine = []) {
    for (let i = 0; ; i++) {
      const r = await this.call(method, path, body);
      if (r.status < 300 || fine.includes(r.status)) return r;
      // busy with an earlier request
      if (![409, 429, 503].includes(r.status) || i >= 200) throw new Error(`${method} ${path.replace(/\d+/, 'N')}: ${r.status} ${r.json?.title}`);
      await sleep(50);
    }
  }
  async token() { this.csrf = (await this.must('GET', '/session')).json.csrf; }
  async come() {
    if (this.cookies.size) return;
    await this.token();
    await this.must('POST', '/accounts', { email: `s${this.n}@example.net`, password: 'a long walk home', template: 'tiny' });
    await this.token();
    seen.subscribers++;
  }
  // The VE; null for who waits in the line, or for the end of the one before.
  async find() {
    const home = (await this.must('GET', '/home')).json;
    if (home.ve) return home.ve.desired === 'deleted' ? null : home.ve;
    if (!home.queue) await this.must('POST', '/ves', { template: 'tiny' }, [409]);
    return null;
  }
  // A return and its prompt: at once, or when the VE is awake again.
  async key() {
    const how = states.get(this.veid) === 'frozen' ? 'key' : null, pressed = performance.now();
    await new Promise((resolve, reject) => {
      const gone = () => this.hear(new Error('the terminal was closed under a key'));
      const timer = setTimeout(() => this.hear(new Error('no prompt 60 s after a key')), 60000);
      this.hear = (e) => {
        clearTimeout(timer);
        this.socket.off('close', gone);
        this.hear = null;
        if (e) reject(e); else resolve();
      };
      if (this.socket.destroyed) return gone();
      this.socket.once('close', gone);
      this.type('\n');
    });
    times[how]?.push(performance.now() - pressed);
  }
  // To the prompt: the ticket, the socket, and an answer to a return.
  async prompt() {
    const until = performance.now() + 60000;
    this.socket = null;
    for (let i = 0; ; i++) {
      const { status, json } = await this.must('POST', `/ves/${this.veid}/tickets`, {}, [409]);
      try {
        if (status === 409) throw new Error(`no ticket: ${json.type}`);
        return await this.terminal(json.ticket);
      } catch (e) {
        // not there yet, or on its way down: as the page does, look until it runs
        if (status !== 409 && e.message !== 'closed with 4404' && i >= 5) throw e;
        while (states.get(this.veid) !== 'running') {
          if (performance.now() > until) throw e;
          await sleep(20);
        }
      }
    }
  }
  terminal(ticket) {
    return new Promise((resolve, reject) => {
      const path = `/ves/${this.veid}/terminals/main/ws?cols=80&rows=24`;
      const request = https.request({ host: '127.0.0.1', servername: 'localhost', port: c.port, path, agent: this.agent, headers: this.headers({
        Origin: c.url, Connection: 'Upgrade', Upgrade: 'websocket', 'Sec-WebSocket-Version': '13',
        'Sec-WebSocket-Protocol': 've-term.v1', 'Sec-WebSocket-Key': randomBytes(16).toString('base64') }) });
      const late = () => (this.socket ?? request).destroy(new Error('no prompt after 60 s'));
      const timer = setTimeout(late, 60000);
      let again = null;
      const done = (e) => { clearTimeout(timer); clearInterval(again); if (e) reject(e); else resolve(); };
      request.on('error', done);
      request.on('response', (r) => done(new Error(`the socket: ${r.statusCode}`)));
      request.on('upgrade', (_, socket, head) => {
        this.socket = socket;
        const send = (type, data) => socket.write(frame(Buffer.concat([Buffer.from([type]), Buffer.from(data)])));
        this.type = (text) => send(17, text);
        let buffer = head, hi = 0n;
        const step = (bytes) => {
          buffer = Buffer.concat([buffer, bytes]);
          for (let m; (m = unframe(buffer)); buffer = buffer.subarray(m.size)) {
            if (m.op === 8) return socket.destroy(new Error(`closed with ${m.data.length > 1 ? m.data.readUInt16BE(0) : 0}`));
            if (m.op !== 2) continue;
            if (m.data[0] === 1) { // HELLO
              hi = m.data.readBigUInt64BE(11);
              send(17, '\n');
              // The sleep that was asked for at the end of the last visit may come only now and find the key unread:
              // who sees nothing presses it again, and that wakes.
              again = setInterval(() => send(17, '\n'), 3000);
            } else if (m.data[0] === 2 && m.data.readBigUInt64BE(1) >= hi && m.data.includes('# ', 9)) {
              done();
              this.hear?.();
            }
          }
        };
        socket.on('data', step);
        socket.on('error', done);
        socket.on('close', () => done(new Error('the terminal was closed')));
        step(Buffer.alloc(0));
        send(16, ticket);
      });
      request.end();
    });
  }
  async visit() {
    await this.come();
    let clicked = performance.now();
    const ve = await this.find();
    if (!ve) {
      waits++;
      return sleep(300);
    }
    const fresh = this.veid !== ve.veid;
    this.veid = ve.veid;
    let how = fresh ? 'new' : { running: 'awake', frozen: 'idle', stopped: 'stopped' }[states.get(this.veid)] ?? 'other';
    if (!fresh && ve.desired === 'stopped') {
      how = 'stopped';
      await this.must('POST', `/ves/${this.veid}/actions`, { action: 'start' });
    }
    await this.prompt();
    times[how]?.push(performance.now() - clicked);
    for (const until = Date.now() + Math.random() * 2000 * c.stay; Date.now() < until && Date.now() < end;) {
      if (Math.random() < 0.1) { // the page anew
        this.socket.destroy();
        how = { running: 'awake', frozen: 'idle' }[states.get(this.veid)];
        clicked = performance.now();
        if (!await this.find()) return;
        await this.prompt();
        times[how]?.push(performance.now() - clicked);
      }
      await sleep(Math.random() * 6000);
      await this.key();
    }
    this.socket.destroy();
    const dice = Math.random(), act = (action) => this.must('POST', `/ves/${this.veid}/actions`, { action }, [404, 409]);
    if (dice < 0.5 && states.get(this.veid) === 'running') await act('idle'); // a sleeper's page has no such button
    else if (dice < 0.5) return;
    else if (dice < 0.6) await act('stop');
    else if (dice < 0.6 + c.leave / 100) await act('delete');
  }
}
function frame(data) {
  const mask = randomBytes(4), n = data.length;
  const head = n < 126 ? Buffer.from([0x82, 0x80 | n]) : Buffer.from([0x82, 0x80 | 126, n >> 8, n & 255]);
  return Buffer.concat([head, mask, data.map((b, i) => b ^ mask[i & 3])]);
}
function unframe(b) {
  if (b.length < 2) return null;
  let n = b[1] & 127, at = 2;
  if (n === 126) {
    if (b.length < 4) return null;
    n = b.readUInt16BE(2);
    at = 4;
  } else if (n === 127) {
    if (b.length < 10) return null;
    n = Number(b.readBigUInt64BE(2));
    at = 10;
  }
  return b.length < at + n ? null : { op: b[0] & 15, data: b.subarray(at, at + n), size: at + n };
}

// ---- all of them ----
const all = Array.from({ length: c.subscribers }, (_, n) => new Subscriber(n));
let fresh = 0; // who has not been here yet comes first, one after the other
function pick() {
  while (fresh < all.length && Math.random() < 0.6) if (!all[fresh++].busy) return all[fresh - 1];
  for (;;) {
    const s = all[Math.floor(Math.random() * all.length)];
    if (!s.busy) return s;
  }
}
async function slot() {
  while (!over && Date.now() < end && cycles < c.cycles) {
    const s = pick();
    s.busy = true;
    try {
      await s.visit();
      visits++;
    } catch (e) {
      failures++;
      reasons.set(e.message, (reasons.get(e.message) ?? 0) + 1);
      s.socket?.destroy();
      await sleep(200);
    }
    s.busy = false;
    s.agent.destroy(); // they go home: no connection is kept
  }
}
const quantile = (list, q) => (list.length ? list[Math.min(list.length - 1, Math.floor(list.length * q))].toFixed(0) : '-');

follow();
watch();
const ticker = setInterval(() => log(`${cycles} cycles, ${visits} visits, ${seen.subscribers} subscribers, ${waits} times in the line, ${failures} failed`), 30000);
await Promise.all(Array.from({ length: c.visitors }, slot));
clearInterval(ticker);
// Everybody is gone: what they left idles, and the last leases end.
held = -1;
for (const until = Date.now() + 60000; held !== 0 && Date.now() < until;) await sleep(200);
if (held) log(`${held} addresses are lent still`);
over = true;
log(`${cycles} cycles, ${visits} visits, ${seen.subscribers} subscribers, ${waits} times in the line, ${failures} failed`);
for (const [what, n] of [...reasons].sort((a, b) => b[1] - a[1]).slice(0, 10)) console.log(`failed ${n} times: ${what}`);
for (const [how, list] of Object.entries(times)) {
  list.sort((a, b) => a - b);
  seen.kinds[how] = list.length;
  console.log(`${how === 'key' ? 'key to prompt, fallen asleep' : `click to prompt, ${how}`}: p50 ${quantile(list, 0.5)} ms, p99 ${quantile(list, 0.99)} ms (${list.length})`);
}
console.log(`addresses lent at once: at most ${most}`);
seen.most = most;
writeFileSync(c.out, JSON.stringify(seen));
process.exit(failures > visits / 20 + 5 ? 1 : 0);
