// Full screen, and in it a bar that stays out of the way.

const LINGER_MS = 2500;
const EDGE_PX = 3; // only the very edge: just above it is the host's own task bar

/** The button, and the bar's coming and going. */
export class FullScreen {
  #timer = 0;

  /** @param {HTMLButtonElement} button */
  constructor(button) {
    this.button = button;
    // Phones that can show only a <video> in full screen don't get a button that would lose the pointer.
    button.hidden = !document.fullscreenEnabled;
    button.addEventListener('click', () => this.toggle());
    document.addEventListener('fullscreenchange', () => this.#changed());
    addEventListener('pointermove', ({ clientY, target }) => {
      if (!this.active) return;
      if (clientY <= EDGE_PX || target.closest?.('header')) this.#showBar();
    });
    addEventListener('focusin', ({ target }) => this.active && target.closest('header') && this.#showBar());
  }

  get active() {
    return Boolean(document.fullscreenElement);
  }

  toggle() {
    const done = this.active ? document.exitFullscreen() : document.documentElement.requestFullscreen?.({ navigationUI: 'hide' });
    done?.catch(() => {}); // the browser has its own say
  }

  #changed() {
    this.button.setAttribute('aria-pressed', String(this.active));
    this.button.title = this.active ? 'Leave full screen (F)' : 'Full screen (F)';
    document.documentElement.classList.toggle('fullscreen', this.active);
    clearTimeout(this.#timer);
    document.documentElement.classList.remove('bar-away');
    if (this.active) this.#showBar();
  }

  #showBar() {
    const root = document.documentElement;
    root.classList.remove('bar-away');
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      if (document.querySelector('header :focus-visible, header .controls:hover')) return this.#showBar();
      if (this.active) root.classList.add('bar-away');
    }, LINGER_MS);
  }
}
