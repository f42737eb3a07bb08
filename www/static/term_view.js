// SPDX-License-Identifier: Apache-2.0
// How the terminal looks, and where it stands.
import { Terminal } from '/vendor/xterm-6.0.0/xterm.mjs';
import { FitAddon } from '/vendor/addon-fit-0.11.0/addon-fit.mjs';
import { keepPolicy } from '/static/term_guard.js';

export function draw(box, screen) {
  keepPolicy(document.querySelector('script[nonce]').nonce);
  const term = new Terminal({
    cursorBlink: !matchMedia('(prefers-reduced-motion: reduce)').matches,
    fontFamily: getComputedStyle(box).getPropertyValue('--mono'),
    fontSize: Number(localStorage.getItem('term-size')) || 15,
    minimumContrastRatio: 4.5,
    screenReaderMode: localStorage.getItem('term-reader') === '1',
    scrollback: 5000,
    theme: { background: '#0f1412', foreground: '#dfe6e0', cursor: '#e0a13c', cursorAccent: '#0f1412',
      selectionBackground: '#3a5a4e' },
  });
  const fit = new FitAddon();
  term.loadAddon(fit);
  term.open(screen);
  fit.fit();
  return { term, fit };
}
