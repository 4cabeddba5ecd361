// Mouse and pen on the picture. Fingers are in touch.js.

import { TouchGestures } from './touch.js';

const BUTTONS = [[1, 'left'], [2, 'right'], [4, 'middle']]; // bits of `event.buttons`
const NOTCH = [100, 3, 1 / 8]; // of a wheel, in pixels, lines and pages: by `deltaMode`

/**
 * Where in the picture a place on the page is.
 * @param {Element} element a video or canvas with `object-fit: contain`
 * @param {number} width of the picture @param {number} height of the picture
 * @returns {import('./hand.js').Point|null} null on the letterbox
 */
export function pointInPicture(element, width, height, clientX, clientY) {
  if (!width || !height) return null;
  const box = element.getBoundingClientRect();
  const scale = Math.min(box.width / width, box.height / height);
  const x = (clientX - box.left - (box.width - width * scale) / 2) / (width * scale);
  const y = (clientY - box.top - (box.height - height * scale) / 2) / (height * scale);
  return x >= 0 && x <= 1 && y >= 0 && y <= 1 ? { x, y } : null;
}

/** Turns what happens over the stage into what the {@link Hand} does. */
export class PointerInput {
  #buttons = 0;
  #wheel = { x: 0, y: 0 };
  #panned = null;

  /**
   * @param {HTMLElement} stage
   * @param {import('./hand.js').Hand} hand
   * @param {() => boolean} active whether the viewer controls the host now
   * @param {(clientX: number, clientY: number) => import('./hand.js').Point|null} locate
   * @param {import('./view.js').View} view
   * @param {import('./lock.js').PointerLock} lock
   */
  constructor(stage, hand, active, locate, view, lock) {
    Object.assign(this, { stage, hand, active, locate, view, lock });
    this.touch = new TouchGestures(hand, locate, active, view);
    for (const type of ['pointerdown', 'pointermove', 'pointerup', 'pointercancel', 'lostpointercapture'])
      stage.addEventListener(type, (event) => this.#pointer(event));
    stage.addEventListener('wheel', (event) => this.#scroll(event), { passive: false });
    // Menu, text selection, middle-button scrolling, dragging the picture away: the host's affair now.
    for (const type of ['contextmenu', 'mousedown', 'mouseup', 'auxclick', 'dragstart', 'selectstart'])
      stage.addEventListener(type, (event) => {
        if (this.active() && onStage(event)) event.preventDefault();
      });
    stage.addEventListener('dblclick', (event) => {
      if (!this.active() && event.pointerType !== 'touch') view.toggle(event.clientX, event.clientY);
    });
    addEventListener('blur', () => this.letGo());
    document.addEventListener('visibilitychange', () => document.hidden && this.letGo());
  }

  /** Forgets everything pressed, here and at the host. */
  letGo() {
    this.touch.forget();
    this.#buttons = 0;
    this.#panned = null;
    this.#wheel = { x: 0, y: 0 };
    this.hand.release();
  }

  #pointer(event) {
    if (event.type === 'pointercancel') return this.letGo();
    if (event.pointerType === 'touch') {
      if (event.type !== 'pointerdown' || onStage(event)) this.touch.handle(event, this.stage);
      return;
    }
    if (!this.lock.locked && this.#pan(event)) return;
    if (!this.active()) return;
    if (this.lock.locked) return this.#caught(event);
    if (event.type === 'lostpointercapture') {
      // After a normal release nothing is held; otherwise the browser took the pointer away.
      if (this.hand.holding) this.letGo();
      return;
    }
    const point = this.locate(event.clientX, event.clientY);
    // Only the first press is a `pointerdown`; more buttons come as moves, so the mask decides. A move
    // that arrives with a first button already down was pressed elsewhere and dragged here: no press.
    const changed = event.buttons ^ this.#buttons;
    const mayPress = point && onStage(event) && (event.type === 'pointerdown' || this.#buttons !== 0);
    this.#buttons = event.buttons;
    if (event.type === 'pointerdown' && mayPress) this.stage.setPointerCapture(event.pointerId);
    for (const [bit, button] of BUTTONS) {
      if (!(changed & bit)) continue;
      if (!(event.buttons & bit)) this.hand.up(point, button);
      else if (mayPress) this.hand.down(point, button);
    }
    if (event.type === 'pointermove' && point && !changed && onStage(event)) this.hand.move(point);
  }

  /** The pointer is caught: it has no place on the page. */
  #caught(event) {
    const changed = event.buttons ^ this.#buttons;
    this.#buttons = event.buttons;
    if (event.type === 'pointermove') this.lock.move(event);
    for (const [bit, button] of BUTTONS) {
      if (!(changed & bit)) continue;
      if (event.buttons & bit) this.hand.down(null, button);
      else this.hand.up(null, button);
    }
  }

  /** Dragging moves the picture where the drag is not the host's: while only watching, or with Ctrl. */
  #pan(event) {
    if (event.type === 'pointerdown' && event.button === 0 && onStage(event) && this.view.canPan && (event.ctrlKey || !this.active())) {
      this.#panned = { x: event.clientX, y: event.clientY };
      this.stage.setPointerCapture(event.pointerId);
      return true;
    }
    if (!this.#panned) return false;
    if (event.type === 'pointermove') {
      this.view.pan(event.clientX - this.#panned.x, event.clientY - this.#panned.y);
      this.#panned = { x: event.clientX, y: event.clientY };
    } else {
      this.#panned = null;
    }
    return true;
  }

  #scroll(event) {
    if (!onStage(event)) return;
    if (event.ctrlKey) {
      // Ctrl and the wheel, or two fingers pinching on a trackpad: the picture's zoom and not the whole page's.
      event.preventDefault();
      return this.view.wheel(event);
    }
    if (!this.active()) return this.view.pan(-event.deltaX, -event.deltaY);
    const point = this.lock.locked ? null : this.locate(event.clientX, event.clientY);
    if (!point && !this.lock.locked) return;
    event.preventDefault();
    const notch = NOTCH[event.deltaMode] ?? NOTCH[0];
    const dx = this.#notches('x', event.deltaX / notch);
    const dy = this.#notches('y', event.deltaY / notch);
    if (dx || dy) this.hand.scroll(point, dx, dy);
  }

  /** Adds up small steps of a touchpad and gives out the whole notches. */
  #notches(axis, delta) {
    if (delta * this.#wheel[axis] < 0) this.#wheel[axis] = 0; // turned round: what was left over is void
    const sum = this.#wheel[axis] + delta;
    // A little early, so that 3 steps of 33.33 are one notch.
    const whole = Math.trunc(sum + Math.sign(sum) * 0.01);
    this.#wheel[axis] = sum - whole;
    return whole || 0; // no -0 on the wire
  }
}

/** Cards and notices lie on the stage, and clicking them is not clicking the host. */
function onStage({ target }) {
  return !(target instanceof Element && target.closest('[data-over-stage]'));
}
