// The viewer's keyboard on the host's desktop: keys, text from phones' keyboards, and pasting as typing.

const MOST_TEXT = 4000; // characters at once; the host types no more

/** Sends keys while it is on; the page's own shortcuts rest meanwhile. */
export class KeyboardInput {
  #on = false;
  #down = new Set();
  #chord = false;
  #composing = false;

  /**
   * @param {HTMLTextAreaElement} sink has the focus while keys go to the host, so that phones show their keyboard
   * @param {import('./hand.js').Hand} hand
   * @param {{byPlace: () => boolean, onChange: () => void}} options `byPlace`: the key counts, not what is printed on it
   */
  constructor(sink, hand, options) {
    Object.assign(this, { sink, hand, options });
    addEventListener('keydown', (event) => this.#key(event, true), { capture: true });
    addEventListener('keyup', (event) => this.#key(event, false), { capture: true });
    sink.addEventListener('beforeinput', (event) => this.#input(event));
    sink.addEventListener('compositionstart', () => (this.#composing = true));
    sink.addEventListener('compositionend', (event) => {
      this.#composing = false;
      this.#type(event.data);
      sink.value = '';
    });
    sink.addEventListener('paste', (event) => {
      event.preventDefault();
      this.#type(event.clipboardData?.getData('text/plain'));
    });
    // Whoever goes to a field or button of this page wants to use it; another window only takes the keys for a while.
    sink.addEventListener('blur', () => {
      this.#down.clear();
      if (document.hasFocus()) this.off();
    });
  }

  get on() {
    return this.#on;
  }

  toggle() {
    if (this.#on) this.off();
    else this.#start();
  }

  off() {
    if (!this.#on) return;
    this.#on = false;
    this.#down.clear();
    navigator.keyboard?.unlock?.();
    this.hand.release();
    if (document.activeElement === this.sink) this.sink.blur();
    this.options.onChange();
  }

  #start() {
    this.#on = true;
    this.sink.value = '';
    this.sink.focus({ preventScroll: true });
    // Where the browser allows it, in full screen, Escape and Alt+Tab go to the host as well.
    navigator.keyboard?.lock?.().catch(() => {});
    this.options.onChange();
  }

  #key(event, down) {
    // Only the person's own keys, and not those of an input method, which come as text.
    if (!this.#on || event.isComposing || this.#composing || event.keyCode === 229) return;
    const { code } = event;
    if (!code || code === 'Unidentified') return; // a phone's keyboard; `beforeinput` says what it typed
    event.stopImmediatePropagation();
    if (down && event.shiftKey && (event.ctrlKey || event.metaKey) && code === 'KeyV') return; // the browser pastes
    event.preventDefault();
    if (this.#isWayOut(event, down)) return this.off();
    if (event.key === 'AltGraph') return this.#liftGhost();
    if (!down) {
      if (this.#down.delete(code)) this.hand.key('key_up', hostCode(code));
      return;
    }
    const byPlace = this.options.byPlace();
    const character = !byPlace && [...event.key].length === 1 ? event.key : null;
    // A character repeats with the browser's repeat, a held key with the host's own.
    if (event.repeat && (!character || event.ctrlKey || event.altKey || event.metaKey)) return;
    this.#down.add(code);
    this.hand.key('key_down', hostCode(code), character);
  }

  /** Ctrl, Alt and Shift together, and nothing else with them: they give the keyboard back when they are let go. */
  #isWayOut(event, down) {
    const modifiers = ['Control', 'Alt', 'Shift'];
    if (down) {
      this.#chord = modifiers.includes(event.key) && event.ctrlKey && event.altKey && event.shiftKey;
      return false;
    }
    return this.#chord && modifiers.includes(event.key);
  }

  /** Windows tells AltGr as Ctrl and AltGr; what is typed with it comes as its character, so both are nothing here. */
  #liftGhost() {
    if (this.#down.delete('ControlLeft')) this.hand.key('key_up', 'ControlLeft');
  }

  #input(event) {
    if (!this.#on || this.#composing || event.inputType === 'insertCompositionText') return;
    event.preventDefault();
    const press = (code) => {
      this.hand.key('key_down', code);
      this.hand.key('key_up', code);
    };
    if (event.inputType === 'insertLineBreak' || event.inputType === 'insertParagraph') press('Enter');
    else if (event.inputType.startsWith('deleteContentBackward') || event.inputType === 'deleteWordBackward') press('Backspace');
    else if (event.inputType.startsWith('delete')) press('Delete');
    else this.#type(event.data ?? event.dataTransfer?.getData('text/plain'));
  }

  #type(text) {
    if (this.#on && text) this.hand.text([...text].slice(0, MOST_TEXT).join(''));
  }
}

/** A Mac's Command does what Ctrl does elsewhere. */
function hostCode(code) {
  const mac = /Mac|iPhone|iPad/.test(navigator.platform);
  return mac ? code.replace(/^Meta/, 'Control') : code;
}
