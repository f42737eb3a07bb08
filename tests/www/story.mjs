// SPDX-License-Identifier: Apache-2.0
// The whole way, in a real browser: sign up, type, leave, come back, ssh, suspension.
// Prints TAP; keeps a screenshot of each step.
//
//   node story.mjs URL OPERATOR_EMAIL OPERATOR_PASSWORD [SSH_PORT [SHOTS_DIR [SECOND_PORTAL_URL]]]
//
// TEMPLATE=debian takes another template than tiny, FAKE=1 says that the VE behind
// it is played, MODULES is where playwright-core is (build/npm).
import { execFileSync } from 'node:child_process';
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
  await page.goto(`${o.url}/signup`);
  await page.fill('#email', stayer);
  await page.fill('#password', word);
  await page.check(`input[value=${o.template}]`);
  await page.click('main button.button');
  await page.waitForURL(/\/ves\/\d+$/);
  await until('another visitor comes', connected(page), 60000);
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
await typeIn(page, 'echo hello-$((40+2))\n');
await until('that answers', sees(page, 'hello-42'));
if (o.real) {
  await typeIn(page, 'hostname; id -u; ps ax | head -3; grep envID /proc/self/status\n');
  await until('as root in a VE of its own', async () => {
    const text = await shown(page);
    return (text.includes(`ve${veid}`) && /envID:\s*[1-9]/.test(text)) || text;
  });
}
await shot(page, '03-terminal');
await typeIn(page, 'sleep 3; echo do""ne\n');
await until('a job is under way', sees(page, 'sleep 3'));
await context.close();
ok(true, 'the visitor closes everything');

({ context, page } = await visitor());
await logIn(page, o.url, email, word);
await until('from another browser: the same scrollback', sees(page, 'hello-42'));
await until('and the job has finished', sees(page, 'done'));
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
  let out = '';
  try { out = run('echo from-$((6*7))'); } catch (e) { out = String(e.stderr ?? e); }
  ok(out.trim() === 'from-42', 'ssh opens the same environment', out);
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
await shot(boss.page, '07-operator');
for (const name of ['Environments', 'Plans', 'Addresses', 'Audit', 'Subscribers']) {
  await press(boss.page, `nav.tabs >> text=${name}`);
  await shot(boss.page, `08-${name.toLowerCase()}`);
}
const row = boss.page.locator('tr', { hasText: email });
await row.locator('input[name=why]').fill('mining');
await until('both windows are connected', async () =>
  (await status(page)) === 'Connected' && (await status(second.page)) === 'Connected');
const went = Promise.all([page, second.page].map((p) => p.waitForFunction(
  () => document.getElementById('terminal-status').textContent.includes('suspended') && Date.now(),
  null, { polling: 10, timeout: 20000 }).then((h) => h.jsonValue())));
const clicked = Date.now();
await row.locator('text=Suspend').click();
const ends = await went.catch(() => [Infinity]);
const took = Math.max(...ends) - clicked;
ok(took < 1000, `a suspension ends every terminal within a second (${took} ms)`);
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

// phone and keyboard
const phone = await visitor({ viewport: { width: 320, height: 640 }, hasTouch: true, isMobile: true });
await logIn(phone.page, o.url, email, word);
await until('a phone shows the terminal', connected(phone.page));
ok(await phone.page.locator('#terminal-keys').isVisible(), 'with the keys it has not got');
ok(await phone.page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), 'and nothing is wider than 320 px');
await shot(phone.page, '11-phone');
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
