// SPDX-License-Identifier: Apache-2.0
// What keeps the terminal within the page's policy, and what a shell prints or somebody copies from being more than
// text.

// xterm.js makes style elements; the policy lets those with the nonce be.  It forbids style attributes, which are set
// for colours of xterm.js's own making; the same by a property is fine.
export function keepPolicy(nonce) {
  const createElement = document.createElement.bind(document), setAttribute = Element.prototype.setAttribute;
  document.createElement = (name, options) => {
    const made = createElement(name, options);
    if (name === 'style') made.nonce = nonce;
    return made;
  };
  HTMLSpanElement.prototype.setAttribute = function set(name, value) {
    if (name === 'style') this.style.cssText = value;
    else setAttribute.call(this, name, value);
  };
}

// What the terminal says by itself: where the cursor is, what it can do, what a colour is.
const ANSWER = /^\x1b(\[[?>]?[\d;]*[cnRty]|\[\?[\d;]*\$y|[\]P])/;

// Passes on what is typed.  A program is answered once: not to what it asked before we came, and of the windows that
// look at it by the one that somebody was in at last.
export function speaker(typed, current) {
  const lock = `terminal ${document.getElementById('terminal').dataset.veid}`;
  let ours = false, line = null;
  function hold(options) {
    navigator.locks.request(lock, options, () => {
      ours = true;
      return new Promise(() => {}); // for as long as the page lives, or until another takes it
    }).catch(() => {
      if (options.signal?.aborted) return;
      ours = false;
      line = new AbortController();
      hold({ signal: line.signal });
    });
  }
  function take() {
    if (ours) return;
    line?.abort();
    hold({ steal: true });
  }
  addEventListener('focus', take);
  take();
  return (text) => {
    if (!ANSWER.test(text) || (ours && current())) typed(text);
  };
}

export function guard(term, screen, label) {
  // What was copied may hold keys: all control bytes but tab and line ends go, so that nothing in it ends a bracketed paste.
  screen.addEventListener('paste', (e) => {
    e.preventDefault();
    e.stopPropagation();
    term.paste(e.clipboardData.getData('text/plain').replace(/[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]/g, ''));
  }, true);

  // What a program calls the terminal: text, and not without end.
  const own = label.textContent;
  term.onTitleChange((title) => {
    label.textContent = title ? `${own} · ${title.slice(0, 60)}` : own;
  });
}
