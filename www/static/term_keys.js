// SPDX-License-Identifier: Apache-2.0
// What stands around the terminal: the keys that a phone has not got, and the
// tools above.

const codes = { esc: '\x1b', tab: '\t' };
const arrows = { left: 'D', up: 'A', down: 'B', right: 'C' };

// Shows the bar where fingers type.  Returns what to do with typed text: Ctrl and
// Alt of the bar hold for one key.
export function keys(term, type) {
  const bar = document.getElementById('terminal-keys');
  const held = { ctrl: false, alt: false };

  function hold(name, on) {
    held[name] = on;
    bar.querySelector(`[data-key=${name}]`).setAttribute('aria-pressed', on);
  }

  function typed(text) {
    if (held.ctrl && text.length === 1)
      text = String.fromCharCode(text.toUpperCase().charCodeAt(0) & 31);
    if (held.alt) text = `\x1b${text}`;
    if (held.ctrl) hold('ctrl', false);
    if (held.alt) hold('alt', false);
    type(text);
  }

  bar.addEventListener('click', (e) => {
    const key = e.target.closest('button')?.dataset.key;
    if (!key) return;
    if (key in held) hold(key, !held[key]);
    else if (key in arrows) typed(`\x1b${term.modes.applicationCursorKeysMode ? 'O' : '['}${arrows[key]}`);
    else typed(codes[key] ?? key);
    term.focus();
  });
  bar.hidden = !matchMedia('(pointer: coarse)').matches;
  return typed;
}

// Screen reader mode and text size, remembered.  Returns the first tool, where
// the way out of the terminal leads.
export function tools(term, fit) {
  const reader = document.getElementById('tool-reader');

  reader.setAttribute('aria-pressed', term.options.screenReaderMode);
  reader.addEventListener('click', () => {
    const on = term.options.screenReaderMode = !term.options.screenReaderMode;
    reader.setAttribute('aria-pressed', on);
    localStorage.setItem('term-reader', on ? '1' : '0');
  });
  for (const [id, by] of [['tool-smaller', -1], ['tool-larger', 1]])
    document.getElementById(id).addEventListener('click', () => {
      term.options.fontSize = Math.min(32, Math.max(9, term.options.fontSize + by));
      localStorage.setItem('term-size', term.options.fontSize);
      fit();
    });
  document.getElementById('terminal-tools').hidden = false;
  return reader;
}
