// SPDX-License-Identifier: Apache-2.0
// What tests in a real browser share: TAP, visitors, the terminal of a page.
import { mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';

// modules: where playwright-core is; shots: where screenshots go; homes: what pages may ask.
export async function start(modules, shots, homes) {
  const { chromium } = createRequire(resolve(modules, 'x.js'))('playwright-core');
  mkdirSync(shots, { recursive: true });

  let count = 0, failed = 0;
  function ok(yes, what, detail = '') {
    console.log(`${yes ? 'ok' : 'not ok'} ${++count} - ${what}`);
    if (!yes) {
      failed++;
      for (const line of String(detail).split('\n').slice(0, 30)) console.log(`# ${line}`);
    }
    return yes;
  }
  async function until(what, fn, ms = 60000) {
    const over = Date.now() + ms;
    let last;
    for (;;) {
      last = await fn().catch((e) => `error: ${e.message}`);
      if (last === true) return ok(true, what);
      if (Date.now() > over) return ok(false, what, last);
      await new Promise((r) => setTimeout(r, 20));
    }
  }

  const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox',
    '--disable-gpu', '--disable-background-networking', '--disable-component-update', '--disable-sync'] });
  const complaints = [], foreign = [];
  async function visitor(options = {}) {
    const context = await browser.newContext({ ignoreHTTPSErrors: true, viewport: { width: 1280, height: 900 }, ...options });
    const page = await context.newPage();
    page.on('console', (m) => {
      if (/Content Security|TrustedHTML|TrustedScript/.test(m.text())) complaints.push(m.text());
    });
    page.on('pageerror', (e) => complaints.push(e.message));
    page.on('request', (r) => {
      const host = new URL(r.url()).host;
      if (!homes.some((u) => u && new URL(u).host === host) && !r.url().startsWith('data:')) foreign.push(r.url());
    });
    return { context, page };
  }
  const shot = (page, name, options = {}) => page.screenshot({ path: join(shots, `${name}.png`), ...options });
  const shown = (page) => page.locator('.xterm-rows').innerText();
  const status = (page) => page.locator('#terminal-status').innerText();
  const sees = (page, text) => async () => (await shown(page)).includes(text) || `${await status(page)}\n${await shown(page)}`;
  const connected = (page) => async () => (await status(page)) === 'Connected' || status(page);
  async function typeIn(page, text) {
    await page.locator('.xterm-helper-textarea').focus();
    await page.keyboard.type(text);
  }
  // A link or a form's button: over when the page that answers is there.
  async function press(page, what) {
    const answered = page.waitForEvent('load');
    await (typeof what === 'string' ? page.locator(what).first() : what).click();
    await answered;
  }
  async function logIn(page, url, email, password) {
    await page.goto(`${url}/login`);
    await page.fill('#email', email);
    await page.fill('#password', password);
    await page.click('main button.button');
    await page.waitForURL(/\/(ves\/\d+|admin|home)$/);
  }
  // The plan, and the end of the program.
  async function end() {
    console.log(`1..${count}`);
    await browser.close();
    process.exit(failed ? 1 : 0);
  }
  return { ok, until, visitor, shot, shown, status, sees, connected, typeIn, press, logIn, foreign, complaints, end };
}
