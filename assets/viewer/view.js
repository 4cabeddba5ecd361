// Which part of the picture is seen, and how large. It only moves the elements: where a pointer is in the picture is
// read off the page, so it lands where it is seen to be.

const MOST = 8; // times what fits
const STEP = 1.25; // of a key
const NOTCH = 0.0016; // per pixel of the wheel: a notch of 100 is 17 %, fingers on a trackpad glide

/** Zoom and place of the picture on the stage. */
export class View {
  /** `fit`, `actual` (a pixel of the picture is one of the screen) or `free` */
  mode = 'fit';
  zoom = 1;
  #x = 0;
  #y = 0;
  #shape = '';

  /**
   * @param {HTMLElement} stage
   * @param {() => {width: number, height: number}|null} picture its size in pixels, null while there is none
   * @param {() => void} onChange
   */
  constructor(stage, picture, onChange) {
    Object.assign(this, { stage, picture, onChange });
    new ResizeObserver(() => this.refresh(true)).observe(stage);
  }

  /** Whether more is there than is seen, so that dragging moves it. */
  get canPan() {
    const { width, height, scale } = this.#fitted();
    return width * scale * this.zoom > this.stage.clientWidth + 0.5 || height * scale * this.zoom > this.stage.clientHeight + 0.5;
  }

  /** Pixels of the screen for a pixel of the picture, in per cent. */
  get percent() {
    return Math.round(this.zoom * this.#fitted().scale * devicePixelRatio * 100);
  }

  fit() {
    this.#set('fit', 1, 0, 0);
  }

  /** Pixel by pixel, around a place on the page or the middle. */
  actual(clientX, clientY) {
    this.#zoomAround('actual', this.#actual(), clientX, clientY);
  }

  /** Between everything and every pixel. */
  toggle(clientX, clientY) {
    if (this.mode === 'fit') this.actual(clientX, clientY);
    else this.fit();
  }

  /** @param {number} factor how much larger; what is at this place stays there, or at the middle */
  by(factor, clientX, clientY) {
    const least = Math.min(1, this.#actual());
    const zoom = Math.max(least, Math.min(Math.max(MOST, this.#actual() * 4), this.zoom * factor));
    if (Math.abs(zoom - 1) < 0.01) this.fit();
    else this.#zoomAround('free', zoom, clientX, clientY);
  }

  /** One step with a key: 1 is nearer, -1 farther. */
  step(direction) {
    this.by(STEP ** direction);
  }

  /** The wheel with Ctrl, or two fingers that pinch on a trackpad, which browsers tell as that. @param {WheelEvent} event */
  wheel(event) {
    const pixels = event.deltaY * [1, 33, 400][event.deltaMode];
    this.by(Math.exp(-pixels * NOTCH), event.clientX, event.clientY);
  }

  /** Moves the picture by so many CSS pixels. */
  pan(dx, dy) {
    if (!this.canPan) return;
    this.#set(this.mode === 'fit' ? 'free' : this.mode, this.zoom, this.#x + dx, this.#y + dy);
  }

  /** To be called when the picture or the stage may have another size. */
  refresh(resized = false) {
    const picture = this.picture();
    const shape = picture ? `${picture.width} ${picture.height}` : this.#shape;
    if (shape === this.#shape && !resized) return;
    this.#shape = shape;
    if (this.mode === 'actual') this.actual();
    else this.#set(this.mode, this.zoom, this.#x, this.#y);
  }

  #fitted() {
    const { clientWidth, clientHeight } = this.stage;
    const { width, height } = this.picture() ?? { width: 0, height: 0 };
    const scale = width && height ? Math.min(clientWidth / width, clientHeight / height) : 1;
    return { width: width || clientWidth, height: height || clientHeight, scale };
  }

  #actual() {
    return 1 / (this.#fitted().scale * devicePixelRatio);
  }

  #zoomAround(mode, zoom, clientX, clientY) {
    const box = this.stage.getBoundingClientRect();
    const x = (clientX ?? box.left + box.width / 2) - box.left;
    const y = (clientY ?? box.top + box.height / 2) - box.top;
    const grown = zoom / this.zoom;
    this.#set(mode, zoom, x - (x - this.#x) * grown, y - (y - this.#y) * grown);
  }

  #set(mode, zoom, x, y) {
    const { width, height, scale } = this.#fitted();
    this.mode = mode;
    this.zoom = zoom;
    this.#x = mode === 'fit' ? 0 : placed(x, this.stage.clientWidth, width * scale, zoom);
    this.#y = mode === 'fit' ? 0 : placed(y, this.stage.clientHeight, height * scale, zoom);
    const { style } = this.stage;
    style.setProperty('--zoom', String(zoom));
    style.setProperty('--x', `${this.#x}px`);
    style.setProperty('--y', `${this.#y}px`);
    this.onChange();
  }
}

/** Keeps the picture in sight: in the middle where it is smaller than the stage, else without a gap at its edges. */
function placed(offset, room, shown, zoom) {
  const size = shown * zoom;
  const margin = (room - shown) / 2 * zoom; // from the element's edge to the picture's
  const first = size <= room ? (room - size) / 2 : Math.min(0, Math.max(room - size, offset + margin));
  // On whole pixels of the screen, or 1:1 would be blurred.
  return Math.round(first * devicePixelRatio) / devicePixelRatio - margin;
}
