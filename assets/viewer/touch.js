// Fingers: tap to click, hold to right-click, drag to drag, two fingers to scroll or, apart and together, to zoom.
// Where the viewer only watches, one finger moves the picture and two taps show it pixel by pixel.

const LONG_PRESS_MS = 500;
const SLOP_PX = 10; // a finger is never quite still
const SCROLL_PX = 40; // of two fingers' way for a notch of the wheel
const PINCH_PX = 24; // two fingers that come nearer or part by this much don't scroll
const TWO_TAPS_MS = 320;

/** One gesture at a time; it is over when the last finger is lifted. */
export class TouchGestures {
  #fingers = new Map();
  /**
   * `none`, `wait` (a tap or the start of something), `drag`, `two` (fingers: which of the next it is shows), `scroll`,
   * `pinch`, `pan` (one finger moves the picture) or `done` (until all fingers are up)
   */
  #kind = 'none';
  #start = null;
  #timer = 0;
  #middle = null;
  #apart = 0;
  #tapped = null;
  #rest = { x: 0, y: 0 };

  /**
   * @param {import('./hand.js').Hand} hand
   * @param {(clientX: number, clientY: number) => import('./hand.js').Point|null} locate
   * @param {() => boolean} active whether the viewer controls the host now
   * @param {import('./view.js').View} view
   */
  constructor(hand, locate, active, view) {
    Object.assign(this, { hand, locate, active, view });
  }

  /** @param {PointerEvent} event of a finger @param {Element} stage */
  handle(event, stage) {
    if (event.type === 'pointerdown') this.#down(event, stage);
    else if (event.type === 'pointermove') this.#move(event);
    else if (event.type === 'pointerup') this.#up(event);
  }

  /** Ends the gesture without finishing it. */
  forget() {
    clearTimeout(this.#timer);
    this.#fingers.clear();
    this.#kind = 'none';
  }

  #down(event, stage) {
    stage.setPointerCapture(event.pointerId);
    this.#fingers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    if (this.#fingers.size === 1) {
      const point = this.locate(event.clientX, event.clientY);
      this.#start = { point, x: event.clientX, y: event.clientY };
      this.#kind = this.active() && point ? 'wait' : 'pan';
      if (this.#kind === 'wait') this.#timer = setTimeout(() => this.#longPress(), LONG_PRESS_MS);
    } else if (this.#fingers.size === 2 && this.#kind !== 'done') {
      clearTimeout(this.#timer);
      if (this.#kind === 'drag') this.hand.up(null, 'left');
      this.#kind = this.active() ? 'two' : 'pinch';
      this.#middle = this.#centre();
      this.#apart = this.#distance();
      this.#rest = { x: 0, y: 0 };
    }
  }

  #move(event) {
    const finger = this.#fingers.get(event.pointerId);
    if (!finger) return;
    const before = { ...finger };
    finger.x = event.clientX;
    finger.y = event.clientY;
    const way = Math.hypot(finger.x - this.#start.x, finger.y - this.#start.y);
    if (this.#kind === 'wait' && way > SLOP_PX) {
      clearTimeout(this.#timer);
      this.#kind = 'drag';
      this.hand.down(this.#start.point, 'left'); // where the finger came down, not where it was noticed
    }
    if (this.#kind === 'drag') {
      const point = this.locate(finger.x, finger.y);
      if (point) this.hand.move(point);
    } else if (this.#kind === 'pan') {
      if (way > SLOP_PX) this.#start.moved = true;
      if (this.#start.moved) this.view.pan(finger.x - before.x, finger.y - before.y);
    } else if (this.#kind === 'two') {
      this.#decide();
    }
    if (this.#kind === 'scroll') this.#scroll();
    else if (this.#kind === 'pinch') this.#pinch();
  }

  /** Of two fingers, whether they scroll or pinch. */
  #decide() {
    const middle = this.#centre();
    if (Math.abs(this.#distance() - this.#apart) > PINCH_PX) {
      this.#kind = 'pinch';
      // From here on, so that nothing jumps.
      this.#middle = middle;
      this.#apart = this.#distance();
    } else if (Math.hypot(middle.x - this.#middle.x, middle.y - this.#middle.y) > SLOP_PX) {
      this.#kind = 'scroll';
    }
  }

  #pinch() {
    const middle = this.#centre();
    const apart = this.#distance();
    this.view.pan(middle.x - this.#middle.x, middle.y - this.#middle.y);
    if (this.#apart > 0 && apart > 0) this.view.by(apart / this.#apart, middle.x, middle.y);
    this.#middle = middle;
    this.#apart = apart;
  }

  #up(event) {
    if (!this.#fingers.delete(event.pointerId)) return;
    clearTimeout(this.#timer);
    if (this.#kind === 'wait') this.#click('left');
    else if (this.#kind === 'drag') this.hand.up(this.locate(event.clientX, event.clientY), 'left');
    else if (this.#kind === 'pan' && !this.#start.moved && !this.active()) this.#tap(event);
    this.#kind = this.#fingers.size ? 'done' : 'none';
  }

  #tap({ clientX, clientY, timeStamp }) {
    const twice = this.#tapped !== null && timeStamp - this.#tapped < TWO_TAPS_MS;
    this.#tapped = twice ? null : timeStamp;
    if (twice) this.view.toggle(clientX, clientY);
  }

  #longPress() {
    this.#click('right');
    this.#kind = 'done';
    navigator.vibrate?.(15);
  }

  #click(button) {
    this.hand.down(this.#start.point, button);
    this.hand.up(this.#start.point, button);
  }

  #scroll() {
    const middle = this.#centre();
    const point = this.locate(middle.x, middle.y) ?? this.#start.point;
    // The picture follows the fingers: pushing it up is turning the wheel down.
    this.#rest.x += (this.#middle.x - middle.x) / SCROLL_PX;
    this.#rest.y += (this.#middle.y - middle.y) / SCROLL_PX;
    this.#middle = middle;
    const dx = Math.trunc(this.#rest.x) || 0;
    const dy = Math.trunc(this.#rest.y) || 0;
    this.#rest.x -= dx;
    this.#rest.y -= dy;
    if (dx || dy) this.hand.scroll(point, dx, dy);
  }

  #distance() {
    const [a, b] = [...this.#fingers.values()];
    return b ? Math.hypot(a.x - b.x, a.y - b.y) : 0;
  }

  #centre() {
    const [a, b] = [...this.#fingers.values()];
    return b ? { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 } : a;
  }
}
