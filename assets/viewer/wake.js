// Whether anybody looks, and whether the machine or its network was away in the meantime.

const HIDDEN_MS = 5000; // somebody who only glances at another tab should not have to wait afterwards
const LOOK_MS = 1000;
const SLEPT_MS = 4000; // more than this between two looks is no busy machine but one that slept

/** Tells when to stop and when to go on. */
export class Wakefulness {
  #timer = 0;
  #lookedAt = Date.now();

  /**
   * @param {object} events
   * @param {() => boolean} events.watched whether the picture is seen though the page is not
   * @param {() => void} events.onSleep the page has been hidden for a while
   * @param {() => void} events.onWake it is seen again, or the network is back
   * @param {() => void} events.onDoubt something may have broken that nobody told of
   */
  constructor(events) {
    this.events = events;
    document.addEventListener('visibilitychange', () => this.look());
    if (document.hidden) this.look(); // opened in the background
    addEventListener('online', () => {
      if (document.hidden) return;
      events.onDoubt();
      events.onWake();
    });
    addEventListener('offline', () => events.onDoubt());
    navigator.connection?.addEventListener?.('change', () => events.onDoubt());
    // The clock of the day goes on while a machine sleeps; a page's own may not.
    setInterval(() => {
      const slept = Date.now() - this.#lookedAt > SLEPT_MS;
      this.#lookedAt = Date.now();
      // A hidden page's timers come late without any sleep.
      if (slept && !document.hidden) events.onDoubt();
    }, LOOK_MS);
  }

  /** Looks whether the page is hidden now. */
  look() {
    clearTimeout(this.#timer);
    this.#lookedAt = Date.now();
    if (!document.hidden) return this.events.onWake();
    this.#timer = setTimeout(() => document.hidden && !this.events.watched() && this.events.onSleep(), HIDDEN_MS);
  }
}
