// SPDX-License-Identifier: Apache-2.0
// A shell whose output attacks the page that shows it: the clipboard, links with javascript:, DECRQSS and reports of
// the title, ten megabytes in one sequence, the end of a bracketed paste.  After each, what is harmless still works.
//
//   node hostile.mjs URL [SHOTS_DIR]
import { start } from './browser.mjs';

const [url, shots = 'build/shots'] = process.argv.slice(2);
const { ok, until, visitor, shot, shown, sees, connected, typeIn, foreign, complaints, end } =
  await start(process.env.MODULES || 'build/npm', shots, [url]);
const { context, page } = await visitor();
await context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin: url });

// all that the page sends as if somebody had typed it
let sent = '';
page.on('websocket', (ws) => ws.on('framesent', ({ payload }) => {
  if (Buffer.isBuffer(payload) && payload[0] === 17) sent += payload.subarray(1).toString();
}));
const dialogs = [], opened = [];
page.on('dialog', (d) => {
  dialogs.push(d.message());
  d.dismiss();
});
context.on('page', (p) => opened.push(p.url()));
let navigated = 0;

await page.goto(`${url}/signup`);
await page.fill('#email', `hostile-${Date.now()}@example.net`);
await page.fill('#password', 'a long walk home');
await page.check('input[value=tiny]');
await page.click('main button.button');
await page.waitForURL(/\/ves\/\d+$/);
await until('a terminal is there', connected(page), 60000);
page.on('framenavigated', () => navigated++);
const title = await page.title(), name = await page.locator('.console-name').innerText();

// Runs a command and waits for its end: what the terminal was sent before was worked off by then.  Gives back what
// was sent to the shell besides the command itself.
let turn = 0;
async function run(command, ms = 30000) {
  const line = `${command}; echo turn-$((${++turn}+1000))\n`;
  sent = '';
  await typeIn(page, line);
  await until(`it prints: ${command.slice(0, 60)}`, sees(page, `turn-${turn + 1000}`), ms);
  return sent.replace(line.replace('\n', '\r'), '');
}
const clipboard = () => page.evaluate(() => navigator.clipboard.readText());
const paste = (text) => page.evaluate((t) => {
  const data = new DataTransfer();
  data.setData('text/plain', t);
  document.querySelector('.xterm-helper-textarea').dispatchEvent(
    new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true }));
}, text);
await run('export PS1="$ "');

// the clipboard, by OSC 52
await page.bringToFront();
await page.evaluate(() => navigator.clipboard.writeText('mine'));
let back = await run(String.raw`printf '\033]52;c;ZXZpbA==\007\033]52;c;?\007'`);
ok(await clipboard() === 'mine', 'what a shell says is not put on the clipboard', await clipboard());
ok(back === '', 'nor is the clipboard told to the shell', JSON.stringify(back));
sent = '';
await paste('echo pasted-$((3+4))\n');
await until('but a plain paste is typed', sees(page, 'pasted-7'));

// links, by OSC 8
await run(String.raw`printf '\033]8;;javascript:document.title=1\033\\bad-link\033]8;;\033\\\n\033]8;;https://example.net/\033\\good-link\033]8;;\033\\\n'`);
// as a hand does it: a link is looked for where the mouse moves
async function click(text) {
  const at = await page.locator('.xterm-rows span', { hasText: new RegExp(`^${text}$`) }).last().boundingBox();
  await page.mouse.move(at.x + 5, at.y + 40);
  await page.mouse.move(at.x + at.width / 2, at.y + at.height / 2, { steps: 5 });
  await page.mouse.click(at.x + at.width / 2, at.y + at.height / 2);
}
await click('bad-link');
ok(await page.title() === title && !navigated && !opened.length && !dialogs.length,
  'a javascript: link leads nowhere', [await page.title(), navigated, opened, dialogs].join(' '));
await until('but a link of the web asks first', async () => {
  await click('good-link');
  return dialogs.some((d) => d.includes('https://example.net/')) || dialogs.join();
});
ok(!navigated && !opened.length, 'and is not followed when the answer is no');

// questions whose answers would be typed
back = await run(String.raw`printf '\033]2;rm -rf EVIL\007\033[21t\033[20t'`);
ok(back === '', 'the title is not reported to the shell', JSON.stringify(back));
back = await run(String.raw`printf '\033P$qEVIL\033\\\033P+q45564c\033\\'`);
ok(!back.includes('EVIL'), 'DECRQSS says nothing back that the shell chose', JSON.stringify(back));
back = await run(String.raw`printf '\033]4;1;EVIL\007\033]10;EVIL\007\033[?EVILn\005'`);
ok(!back.includes('EVIL'), 'nor do colours, states or the answerback', JSON.stringify(back));
ok(await page.title() === title, 'the title of the page is the page\'s');
await run(String.raw`printf '\033]2;a legitimate title\007'`);
ok((await page.locator('.console-name').innerText()) === `${name} · a legitimate title`, 'but a title is shown at the terminal',
  await page.locator('.console-name').innerText());
await run(String.raw`printf '\033]2;<img src=x onerror=alert(1)>\007'`);
ok((await page.locator('.console-name').innerHTML()).includes('&lt;img'), 'as text');
back = await run(String.raw`printf '\033[6n'`);
ok(/^\x1b\[\d+;\d+R$/.test(back), 'and where the cursor is may be asked', JSON.stringify(back));

// the page again: what was asked before is not answered once more
const before = navigated;
sent = '';
await page.reload();
await until('the terminal is there again', connected(page), 60000);
await until('with what was printed', sees(page, `turn-${turn + 1000}`));
ok(sent === '', 'nothing is typed by the page itself', JSON.stringify(sent));
back = await run('echo he""re');
ok(back === '', 'nor later', JSON.stringify(back));
navigated = before;

// ten megabytes in one sequence
await run(String.raw`printf '\033]2;'; head -c 10485760 /dev/zero | tr '\0' x; printf '\007'`, 120000);
ok((await page.locator('.console-name').innerText()).length < 200, 'ten megabytes of a title are not shown');
await run('echo al""ive');
ok((await shown(page)).includes('alive'), 'and the page is alive');
const colour = (text) => page.locator('.xterm-rows span', { hasText: new RegExp(`^${text}$`) }).last()
  .evaluate((e) => getComputedStyle(e).color.match(/\d+/g).map(Number));
await run(String.raw`printf '\033[31mred\033[m \033[38;5;46mgreen\033[m \033[38;2;90;140;255mblue\033[m\n'`);
const [red, green, blue] = [await colour('red'), await colour('green'), await colour('blue')];
ok(red[0] > red[1] + 50 && red[0] > red[2] + 50, 'a colour is a colour', red);
ok(green[1] > green[0] + 50 && green[1] > green[2] + 50, 'of 256', green);
ok(blue.join() === '90,140,255', 'and of all there are', blue);

// a bracketed paste that brings its own end
await run(String.raw`printf '\033[?2004h'`);
sent = '';
await paste('one\x1b[201~echo EVIL\n');
ok(sent.startsWith('\x1b[200~') && sent.indexOf('\x1b[201~') === sent.length - 6, 'a bracketed paste ends where it ends', JSON.stringify(sent));
sent = '';
await paste('tab\there, umlaut ä, 中');
ok(sent === '\x1b[200~tab\there, umlaut ä, 中\x1b[201~', 'and brings what was copied', JSON.stringify(sent));
await typeIn(page, '\x03');
await shot(page, '20-hostile');

// keys that stand below the terminal, in both modes of the cursor's
async function arrow(mode) {
  await typeIn(page, String.raw`printf '\033[?1${mode}'; echo hear""ing-${mode}; read x` + '\n');
  await until(`a program listens (${mode})`, sees(page, `hearing-${mode}`));
  sent = '';
  await page.evaluate(() => document.querySelector('[data-key=left]').click());
  await until('a key of the bar is typed', async () => sent !== '');
  const key = sent;
  await typeIn(page, '\n');
  return key;
}
ok(await arrow('l') === '\x1b[D', 'an arrow is an arrow');
ok(await arrow('h') === '\x1bOD', 'also for a program that wants them as an application does');
await run(String.raw`printf '\033[?1l\033[?2004l'`);

// the ways out of the keyboard trap
for (const key of ['Escape', 'F6']) {
  await page.locator('.xterm-helper-textarea').focus();
  await page.keyboard.press(`Control+Shift+${key}`);
  ok(await page.evaluate(() => document.activeElement.id) === 'tool-reader', `Ctrl+Shift+${key} leaves the terminal`);
}

// another window: of two that look at a terminal one answers
const other = await context.newPage();
let answers = '';
other.on('websocket', (ws) => ws.on('framesent', ({ payload }) => {
  if (Buffer.isBuffer(payload) && payload[0] === 17) answers += payload.subarray(1).toString();
}));
await other.goto(page.url());
await until('another window has it too', connected(other), 60000);
await until('and all of it', sees(other, `turn-${turn + 1000}`));
answers = '';
back = await run(String.raw`printf '\033[6n'`);
await until('it has drawn the same', sees(other, `turn-${turn + 1000}`));
back += await run(':'); // the answer stands before it
ok(/^\x1b\[\d+;\d+R$/.test(back + answers), 'one of two windows answers', JSON.stringify([back, answers]));
await other.close();
await until('the other one is gone', () => page.evaluate(async () => (await navigator.locks.query()).pending.length === 0));
back = await run(String.raw`printf '\033[6n'`);
ok(/^\x1b\[\d+;\d+R$/.test(back), 'and the one that stays does', JSON.stringify(back));

ok(complaints.length === 0, 'the page kept its policy', complaints.join('\n'));
ok(foreign.length === 0, 'nothing was asked of anyone else', foreign.join('\n'));
await end();
