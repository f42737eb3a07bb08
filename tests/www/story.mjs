// SPDX-License-Identifier: Apache-2.0
// The whole way, in a real browser: sign up, type, leave, come back, ssh, suspension.
// Prints TAP; keeps a screenshot of each step.
//
//   node story.mjs URL OPERATOR_EMAIL OPERATOR_PASSWORD [SSH_PORT [SHOTS_DIR [SECOND_PORTAL_URL]]]
//
// TEMPLATE=debian takes another template than tiny, FAKE=1 says that the VE behind
// it is played, MODULES is where playwright-core is (build/npm).
import { execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { start } from './browser.mjs';

const [url, operator, password, ssh = '', shots = 'build/shots', url2 = ''] = process.argv.slice(2);
const o = { url: url?.replace(/\/$/, ''), operator, password, ssh, shots, url2: url2.replace(/\/$/, ''),
  template: process.env.TEMPLATE || 'tiny', real: !process.env.FAKE, modules: process.env.MODULES || 'build/npm' };
if (!o.password) {
  console.error('usage: story.mjs URL OPERATOR_EMAIL OPERATOR_PASSWORD [SSH_PORT [SHOTS_DIR [SECOND_PORTAL_URL]]]');
  process.exit(2);
}
const { ok, until, visitor, shot, shown, status, sees, connected, typeIn, press, logIn, foreign, complaints, end } =
  await start(o.modules, o.shots, [o.url, o.url2]);

const email = `visitor-${Date.now()}@example.net`, word = 'a long walk home';
const stayer = 'stayer@example.net';

// STAY=1: one more visitor, at the end, whose VE and file are left; BACK=1, in a
// later run: only whether they are there.
async function stay() {
  const { page } = await visitor();
  const tabTo = async (what) => {
    for (let i = 0; i < 40; i++) {
      if (await page.evaluate((w) => document.activeElement.matches(w), what)) return;
      await page.keyboard.press('Tab');
    }
    throw new Error(`no Tab leads to ${what} of ${page.url()}`);
  };
  await page.goto(o.url);
  await tabTo('a[href="/signup"]');
  await page.keyboard.press('Enter');
  await page.waitForURL(/\/signup$/);
  await tabTo('#email');
  await page.keyboard.type(stayer);
  await tabTo('#password');
  await page.keyboard.type(word);
  await tabTo('input[type=radio]');
  for (let i = 0; i < 5 && !await page.isChecked(`input[value=${o.template}]`); i++) await page.keyboard.press(i ? 'ArrowDown' : 'Space');
  await tabTo('main button.button');
  await page.keyboard.press('Enter');
  await page.waitForURL(/\/ves\/\d+$/);
  await until('another visitor comes, by the keyboard alone', connected(page), 60000);
  await typeIn(page, 'echo ke""pt > kept; sync; cat kept\n');
  await until('and leaves a file', sees(page, 'kept'));
}
async function back() {
  const { page } = await visitor();
  await logIn(page, o.url, stayer, word);
  await until('a visitor of an earlier time is connected', connected(page), 60000);
  await typeIn(page, 'echo is-$(cat kept)\n');
  await until('and the file is there', sees(page, 'is-kept'));
  await shot(page, '13-earlier');
}
if (process.env.BACK) {
  await back().catch((e) => ok(false, 'an earlier visitor comes back', e.message));
  await end();
}
let { context, page } = await visitor();

await page.goto(o.url);
await until('the front door says how many places are free', async () =>
  Number(await page.locator('[data-field=free]').innerText()) > 0);
await shot(page, '01-front-door');
await page.click('text=Open an environment');
await page.fill('#email', email);
await page.fill('#password', word);
await page.check(`input[value=${o.template}]`);
await shot(page, '02-sign-up');
const begin = Date.now();
await page.click('main button.button');
await page.waitForURL(/\/ves\/\d+$/);
const veid = Number(page.url().match(/\d+$/)[0]);
ok(veid >= 1000, `a sign-up leads to the page of #${veid}`);
await until('with a live terminal', connected(page), 60000);
console.log(`# sign-up to a connected terminal: ${Date.now() - begin} ms`);
// What a command prints, between marks that the echo of the line has not.
async function says(command) {
  const mark = `m${Math.random().toString(36).slice(2, 8)}`;
  await typeIn(page, `clear; ${command}; echo ${mark.slice(0, 3)}""${mark.slice(3)}\n`);
  for (const over = Date.now() + 30000; Date.now() < over;) {
    const text = await shown(page);
    if (text.includes(mark)) return text;
    await new Promise((r) => setTimeout(r, 50));
  }
  return `${command}: no end\n${await shown(page)}`;
}
if (o.real) {
  const names = await says('hostname; id');
  ok(new RegExp(`^ve${veid}\\s*$`, 'm').test(names), 'it has a name of its own', names);
  ok(/uid=0\(root\)/.test(names), 'the visitor is root there', names);
  const processes = await says('ps ax');
  ok(/^\s*1\s.*init/m.test(processes), 'PID 1 is its own init', processes);
  ok(!/kthreadd|kworker|systemd|ve-agentd/.test(processes), 'and nothing of the node shows', processes);
  await shot(page, '03-processes');
  if (o.template === 'debian') {
    const setid = await says('cd /usr/local/bin; cp /usr/bin/id sid; chmod 4755 sid; setpriv --reuid 65534 --clear-groups sid -u; rm sid; cd');
    ok(/^0\s*$/m.test(setid), 'a set-id program of its own works', setid);
  }
  const self = await says('cat /proc/self/status | tee status | tail -n 3; grep envID status; rm status');
  ok(new RegExp(`envID:\\s*${veid}\\s*$`, 'm').test(self) && /switches:/.test(self), 'the kernel knows it by its number', self);
}
await typeIn(page, 'clear; echo hello-$((40+2))\n');
await until('the terminal answers', sees(page, 'hello-42'));
await shot(page, '03-terminal');
await typeIn(page, 'sleep 60; echo do""ne\n');
await until('a job is under way', sees(page, 'sleep 60'));
const jobEnds = Date.now() + 60000;
await context.close();
ok(true, 'the visitor closes everything');

({ context, page } = await visitor());
await logIn(page, o.url, email, word);
await until('from another browser: the same scrollback', sees(page, 'hello-42'));
ok(!(await shown(page)).includes('done') && Date.now() < jobEnds, 'and the job goes on', await shown(page));
await until('and finishes', sees(page, 'done'), 90000);
await page.reload();
await until('after a reload too', sees(page, 'done'));
await shot(page, '04-back');
await context.setOffline(true);
await page.evaluate(() => dispatchEvent(new Event('offline')));
await context.setOffline(false);
await page.evaluate(() => dispatchEvent(new Event('online')));
await until('after the network was gone too', connected(page));
await typeIn(page, 'echo aga""in\n');
await until('it goes on where it was', sees(page, 'again'));

// A session of ssh; its end is { at, code }.
let session = () => null;
if (o.ssh) {
  const dir = mkdtempSync(join(tmpdir(), 've-story-'));
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'laptop', '-f', join(dir, 'id')]);
  await page.fill('#key', readFileSync(join(dir, 'id.pub'), 'utf8').trim());
  await page.click('text=Add the key');
  await page.waitForURL(/#keys$/);
  ok((await page.locator('#keys').innerText()).includes('laptop'), 'an ssh key is on the page');
  await shot(page, '05-key');
  const flags = ['-F', 'none', '-i', join(dir, 'id'), '-o', 'BatchMode=yes', '-o', 'StrictHostKeyChecking=no',
    '-o', 'UserKnownHostsFile=/dev/null', '-o', 'LogLevel=ERROR', '-o', 'IdentitiesOnly=yes'];
  const run = (command) => execFileSync('ssh', [...flags, '-p', o.ssh, 've@localhost', command], { encoding: 'utf8', timeout: 30000 });
  session = () => {
    const child = spawn('ssh', [...flags, '-p', o.ssh, 've@localhost', 'echo on; exec sleep 100'], { stdio: ['ignore', 'pipe', 'ignore'] });
    return { begun: new Promise((r) => child.stdout.once('data', r)),
      end: new Promise((r) => child.once('exit', (code) => r({ at: Date.now(), code }))) };
  };
  await typeIn(page, 'echo wr""itten > word\n');
  let out = '';
  try { out = run('echo from-$((6*7)); cat word; hostname'); } catch (e) { out = String(e.stderr ?? e); }
  ok(/^from-42\nwritten\n/.test(out) && (!o.real || out.endsWith(`\nve${veid}\n`)), 'ssh opens the same environment', out);
  let code = 0;
  try { run('exit 42'); } catch (e) { code = e.status; }
  ok(code === 42, 'and brings the exit status', code);
  if (o.template !== 'tiny' || !o.real) { // tiny has no sftp server
    const there = `/tmp/ve-story-${process.pid}`;
    let copied = '';
    try {
      execFileSync('scp', [...flags, '-q', '-P', o.ssh, process.execPath, `ve@localhost:${there}`], { timeout: 120000 });
      copied = run(`sha256sum < ${there}; rm ${there}`);
    } catch (e) { copied = String(e.stderr ?? e); }
    const wanted = createHash('sha256').update(readFileSync(process.execPath)).digest('hex');
    ok(copied.startsWith(wanted), 'scp copies', copied);
  }
}

// two windows, at two portals if there are two; the operator
const second = await visitor({ colorScheme: 'dark' });
await logIn(second.page, o.url2 || o.url, email, word);
await until('a second window has the same terminal', sees(second.page, 'again'));
await shot(second.page, '06-dark');
const boss = await visitor();
await logIn(boss.page, o.url, o.operator, o.password);
ok(/\bn1\b[^]*\bnow\b/.test(await boss.page.locator('tbody').first().innerText()), 'the operator sees a node that answers now');
await shot(boss.page, '07-operator');
const tabs = {
  Environments: new RegExp(`#${veid}[^]*running[^]*${email}[^]*\\d+\\.\\d+\\.\\d+\\.\\d+`),
  Plans: /^trial\b/m,
  Addresses: /\d+\.\d+\.\d+\.\d+\/\d+\s+\d+\s+[1-9]/, // range, addresses, in use
  Audit: new RegExp(email),
  Subscribers: new RegExp(email),
};
for (const [name, wanted] of Object.entries(tabs)) {
  await press(boss.page, `nav.tabs >> text=${name}`);
  const there = await boss.page.locator('tbody').first().innerText();
  ok(wanted.test(there), `and ${name.toLowerCase()} as they are`, there);
  await shot(boss.page, `08-${name.toLowerCase()}`);
}
const row = boss.page.locator('tr', { hasText: email });
await row.locator('input[name=why]').fill('mining');
await until('both windows are connected', async () =>
  (await status(page)) === 'Connected' && (await status(second.page)) === 'Connected');
const remote = session();
if (remote) await remote.begun;
const went = Promise.all([page, second.page].map((p) => p.waitForFunction(
  () => document.getElementById('terminal-status').textContent.includes('suspended') && Date.now(),
  null, { polling: 10, timeout: 20000 }).then((h) => h.jsonValue())));
const clicked = Date.now();
await row.locator('text=Suspend').click();
const ends = await went.catch(() => [Infinity]);
const took = Math.max(...ends) - clicked;
ok(took < 1000, `a suspension ends every terminal within a second (${took} ms)`);
if (remote) {
  const { at, code } = await remote.end;
  ok(code === 255 && at - clicked < 1000, `and every ssh session (${at - clicked} ms)`, `status ${code}`);
}
await shot(page, '09-suspended');
// the page finds out by itself that it has no session; another navigation would race with it
await until('and the session', async () => page.url().endsWith('/login') || page.url());
await page.fill('#email', email);
await page.fill('#password', word);
await press(page, 'main button.button');
ok((await page.locator('main').innerText()).includes('mining'), 'a log-in says why');
await shot(page, '10-why');
await press(boss.page, row.locator('text=Lift'));
ok(await row.locator('input[name=why]').isVisible(), 'the operator lifts it');
await logIn(page, o.url, email, word);
await until('lifted, the terminal is back', connected(page), 60000);
await typeIn(page, 'echo ba""ck\n');
await until('and answers', sees(page, 'back'));
if (o.real && o.template === 'debian') {
  // IPv4 as a program of the environment finds it, and as its own name leads to it
  const address = async () => {
    const text = await says('hostname -I; getent ahostsv4 "$(hostname)" | sed "s/^/named-/"');
    const own = /^(\d+\.\d+\.\d+\.\d+)\s/m.exec(text)?.[1];
    return own && own === /^named-(\S+)/m.exec(text)?.[1] ? own : null;
  };
  const before = await address();
  ok(before, 'its name leads to its address', await shown(page));
  await press(page, 'button:has-text("Sleep now")');
  await until('from sleep the terminal is back', connected(page), 60000);
  await until('with another address, by name too', async () => {
    const now = await address();
    return now !== null && now !== before;
  }, 60000);
  ok(/^#/.test(await says('cat /etc/resolv.conf')) && !/nameserver/.test(await shown(page)), 'and with no resolver of the machine that built it', await shown(page));
}

// phone and keyboard
const phone = await visitor({ viewport: { width: 320, height: 640 }, hasTouch: true, isMobile: true });
await logIn(phone.page, o.url, email, word);
await until('a phone shows the terminal', connected(phone.page));
ok(await phone.page.locator('#terminal-keys').isVisible(), 'with the keys it has not got');
ok(await phone.page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), 'and nothing is wider than 320 px');
await shot(phone.page, '11-phone');
async function fits(at, paths) {
  const wide = [];
  for (const path of paths) {
    await at.goto(o.url + path);
    if (!await at.evaluate(() => document.documentElement.scrollWidth <= innerWidth)) wide.push(path);
  }
  return wide;
}
const narrow = await visitor({ viewport: { width: 320, height: 640 } });
let wide = await fits(narrow.page, ['/', '/signup', '/login', '/nowhere']);
await logIn(narrow.page, o.url, o.operator, o.password);
wide = wide.concat(await fits(narrow.page, ['/admin', '/admin/ves', '/admin/plans', '/admin/pools', '/admin/audit', '/admin/subscribers']));
ok(wide.length === 0, 'nor on any other page', wide.join('\n'));
ok(await phone.page.locator('#limits .table-wrap').evaluate((e) => e.scrollWidth <= e.clientWidth), 'its limits need no pushing aside');
await shot(phone.page.locator('#limits'), '11-phone-limits');
await page.locator('.xterm-helper-textarea').focus();
await page.keyboard.press('Control+Shift+Escape');
ok(await page.evaluate(() => document.activeElement.id) === 'tool-reader', 'a key leads out of the terminal');

// without script
const plain = await visitor({ javaScriptEnabled: false });
await logIn(plain.page, o.url, email, word);
const text = await plain.page.locator('main').innerText();
ok(/ssh/.test(text) && /needs script/.test(text), 'without script the page says how else');
await press(plain.page, 'button:has-text("Stop")');
await until('without script it stops', async () => {
  await plain.page.goto(`${o.url}/home`);
  return (await plain.page.locator('.ve-state').innerText()) === 'stopped' || 'not yet';
});
await press(plain.page, 'button:has-text("Start")');
await until('and starts', async () => {
  await plain.page.goto(`${o.url}/home`);
  return (await plain.page.locator('.ve-state').innerText()) === 'running' || 'not yet';
}, 60000);
await press(plain.page, 'text=Delete…');
await shot(plain.page, '12-delete');
await press(plain.page, 'button:has-text("Yes, delete it")');
await until('and is deleted', async () => {
  await plain.page.goto(`${o.url}/home`);
  return (await plain.page.locator('h1').innerText()) === 'No environment yet' || 'not yet';
});
await press(plain.page, 'text=Log out');
ok(await plain.page.locator('text=Sign up').first().isVisible(), 'log-out leads to the front door');

if (process.env.STAY) await stay();
ok(complaints.length === 0, 'no page broke its own policy', complaints.join('\n'));
ok(foreign.length === 0, 'nothing was asked of anyone else', foreign.join('\n'));
await end();
