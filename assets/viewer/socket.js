// Plays JPEG over one WebSocket: pictures one way, every other message both ways.

import { CanvasSession } from './canvas.js';
import { ask, Failure } from './http.js';
import { secret } from './access.js';
import { bitrate } from './whep-stats.js';

const OPEN_MS = 4000;
const QUICK_PINGS = 5;
const HELD_MS = 300; // a host that misses this for a second lets the button go
const MOVES_BACKLOG = 4096; // bytes; beyond, the way is stuck and older positions are worthless
const HEAD_BYTES = 48;

/** A session of JPEG over a WebSocket. */
export class SocketSession extends CanvasSession {
  transport = 'websocket';
  #socket = null;
  #pointer = false;
  #seq = 0;
  #quality;
  #heldTimer = 0;

  /** @param {object} events see {@link Session} @param {{quality: string}} options `quality` as in `setQuality` */
  constructor(events, { quality }) {
    super(events);
    this.#quality = quality;
    this.#begin().catch((error) => this.fail(
      error instanceof Failure ? error : new Failure('refused', 'This browser opens no WebSocket.')));
    this.every(1000, () => this.#eachSecond());
  }

  /** Whether a pointer event would reach a desktop now. */
  get canPoint() {
    return Boolean(this.host?.control && this.host.pointer && this.#pointer && this.#open);
  }

  /** Whether a key would reach a desktop now. */
  get canType() {
    return Boolean(this.host?.keys && this.host.pointer && this.#pointer && this.#open);
  }

  /** @param {object} event an EVENT of the protocol, without its `seq` */
  sendPointer(event) {
    if (event.kind === 'move' && this.#socket?.bufferedAmount > MOVES_BACKLOG) return;
    this.#say('pointer', { ...event, seq: this.#seq++ });
  }

  /** While a button is held the host hears more often that the page is alive. */
  setHeld(held) {
    clearInterval(this.#heldTimer);
    if (held && !this.closed) this.#heldTimer = setInterval(() => this.#ping(), HELD_MS);
  }

  /** Where the viewer points, in fractions of the picture. @param {{x?: number, y?: number, epoch: number, down: boolean}} at */
  sendPoint(at) {
    this.#say('point', at);
  }

  /** Asks for the control of the desktop, or gives it away. @param {'ask'|'give'} wish */
  wishControl(wish) {
    this.#say('control', { wish });
  }

  setQuality(rung) {
    this.#quality = rung;
    this.#say('quality', { rung });
  }

  close() {
    if (this.closed) return;
    super.close();
    clearInterval(this.#heldTimer);
    this.#socket?.close();
  }

  drawn({ id }) {
    // One number for all up to it; the host keeps no more than two under way.
    this.#say('ack', { frame: id });
  }

  get #open() {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  async #begin() {
    // A socket that is refused does not tell why; an ordinary request does.
    await ask('/state');
    if (this.closed) return;
    const url = new URL('/ws', location.href);
    url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
    // The only header a page can fill is the list of protocols.
    const socket = (this.#socket = new WebSocket(url, ['lenscast', ...(secret() ? [`secret.${hexadecimal(secret())}`] : [])]));
    socket.binaryType = 'arraybuffer';
    const refused = new Failure('refused', 'No WebSocket gets through to the host.');
    this.after(OPEN_MS, () => this.#open || this.fail(refused));
    socket.addEventListener('open', () => {
      if (this.#quality !== 'auto') this.setQuality(this.#quality);
      for (let i = 0; i < QUICK_PINGS; i++) this.after(i * 100, () => this.#ping());
    });
    socket.addEventListener('message', ({ data }) => {
      if (this.closed) return;
      if (data instanceof ArrayBuffer) return this.#frame(data, performance.now());
      let message;
      try { message = JSON.parse(data); } catch { return; }
      if (message && typeof message === 'object') this.#hear(message);
    });
    socket.addEventListener('close', () =>
      this.fail(this.live ? new Failure('lost', 'The host ended the connection.') : refused));
  }

  #frame(data, arrivedAt) {
    this.heard();
    this.bytes += data.byteLength;
    const view = new DataView(data);
    const length = data.byteLength > HEAD_BYTES ? view.getUint8(1) : 0;
    if (length < HEAD_BYTES || view.getUint8(0) !== 1) return this.fail(new Failure('refused', 'The host is of another version.'));
    const number = (at) => Number(view.getBigUint64(at));
    this.#pointer = (view.getUint8(2) & 1) === 1;
    this.take({
      body: new Uint8Array(data, length), arrivedAt, epoch: view.getUint32(4), id: number(8),
      capturedUs: number(16), filteredUs: number(24), encodedUs: number(32), sentUs: number(40),
    });
  }

  #hear({ type, data: given }) {
    const data = given ?? {};
    if (type === 'state') {
      this.heard();
      this.host = data;
      this.events.onHost(this);
    } else if (type === 'hello') {
      this.sizes = Boolean(data.sizes);
    } else if (type === 'pong') {
      this.clock.add(data.t0, data.t1_us, data.t2_us, performance.now());
    } else if (type === 'warning' || type === 'error') {
      this.events.onNotice(String(data.message ?? ''), type === 'error');
    }
  }

  #eachSecond() {
    this.#ping();
    const { roundTripMs } = this.clock;
    this.facts = [
      ['Codec', 'JPEG, each picture by itself'],
      ['Bitrate', bitrate(this.bytes * 8)],
      ...(roundTripMs === null ? [] : [['Round trip', `${roundTripMs.toFixed(1)} ms`]]),
      ['Frames too late', String(this.skipped)],
      ...(this.broken ? [['Broken pictures', String(this.broken)]] : []),
    ];
    this.bytes = 0;
    const { delayMs } = this.meter.read(performance.now());
    this.#say('report', {
      delay_ms: delayMs === null ? null : Math.round(delayMs), fps: this.fps === null ? null : Math.round(this.fps * 10) / 10,
      width: this.width || null, height: this.height || null, dropped: this.skipped,
    });
  }

  #ping() {
    this.#say('ping', { t0: performance.now() });
  }

  #say(type, data) {
    if (this.#open) this.#socket.send(JSON.stringify({ type, data }));
  }
}

function hexadecimal(text) {
  return [...new TextEncoder().encode(text)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}
