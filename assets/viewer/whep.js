// Plays over WebRTC: WHEP for the offer and answer, three data channels for everything else.

import { FrameJoin } from './delay.js';
import { ask, Failure, headers } from './http.js';
import { GeometryTrack } from './rtp.js';
import { Session } from './session.js';
import { StatsDigest } from './whep-stats.js';

const GATHER_MS = 1000; // on a LAN all host candidates are there long before
const OFFER_MS = 5000;
const QUICK_PINGS = 5; // so that there is a delay to show from the first second
const HELD_MS = 300; // a host that misses this for a second lets the button go
const MOVES_BACKLOG = 4096; // bytes; beyond, the channel is stuck and older positions are worthless

/** A session over WebRTC. */
export class WhepSession extends Session {
  transport = 'webrtc';
  /** @type {RTCPeerConnection} */
  pc = null;
  #channels = {};
  #geometry = new GeometryTrack();
  #join = new FrameJoin(this.clock, this.meter);
  #digest = new StatsDigest();
  #rtp = null;
  #place = null;
  #seq = 0;
  #quality;

  /** @param {object} events see {@link Session} @param {{codec?: string, quality: string}} options `codec` forces one */
  constructor(events, { codec, quality }) {
    super(events);
    this.#quality = quality;
    this.element = document.createElement('video');
    Object.assign(this.element, { muted: true, autoplay: true, playsInline: true });
    this.element.addEventListener('loadeddata', () => this.#showing());
    this.#begin(codec).catch((error) => this.fail(
      error instanceof Failure ? error : new Failure('refused', `WebRTC failed: ${error.message || error}`)));
  }

  /** The epoch of the geometry that made the picture on the screen. */
  get epoch() {
    return this.#shownGeometry()?.epoch ?? null;
  }

  /** Whether a pointer event would reach a desktop now. */
  get canPoint() {
    return Boolean(this.host?.control) && this.#reaches();
  }

  /** Whether a key would reach a desktop now. */
  get canType() {
    return Boolean(this.host?.keys) && this.#reaches();
  }

  /** Whether there is a desktop, and a way to it. */
  #reaches() {
    return Boolean(this.host.pointer && this.#shownGeometry()?.pointer !== false && this.#channels.pointer?.readyState === 'open');
  }

  /** @param {object} event an EVENT of the protocol, without its `seq` */
  sendPointer(event) {
    const channel = event.kind === 'move' ? this.#channels.moves : this.#channels.pointer;
    if (channel?.readyState !== 'open') return;
    if (event.kind === 'move' && channel.bufferedAmount > MOVES_BACKLOG) return;
    channel.send(JSON.stringify({ type: 'pointer', data: { ...event, seq: this.#seq++ } }));
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

  /** While a button is held the host hears more often that the page is alive. */
  setHeld(held) {
    clearInterval(this.heldTimer);
    if (held && !this.closed) this.heldTimer = setInterval(() => this.#ping(), HELD_MS);
  }

  close() {
    if (this.closed) return;
    super.close();
    clearInterval(this.heldTimer);
    this.#bye();
    if (this.live) this.#freeze();
    this.pc?.close();
  }

  /** A <video> goes black with its connection; a copy of its last picture stays. */
  #freeze() {
    const video = this.element;
    if (!video.isConnected) return;
    const still = document.createElement('canvas');
    still.className = video.className;
    still.width = video.videoWidth;
    still.height = video.videoHeight;
    still.getContext('2d', { alpha: false }).drawImage(video, 0, 0);
    video.replaceWith(still);
    video.srcObject = null;
    this.element = still;
  }

  async #begin(codec) {
    if (!window.RTCPeerConnection) throw new Failure('refused', 'This browser has no WebRTC.');
    const pc = (this.pc = new RTCPeerConnection({ iceServers: [], bundlePolicy: 'max-bundle' }));
    const { receiver } = pc.addTransceiver('video', { direction: 'recvonly' });
    showAtOnce(receiver);
    pc.addEventListener('track', ({ track }) => {
      this.element.srcObject = new MediaStream([track]);
      this.element.play().catch((error) => {
        // Some phones refuse to start any video by themselves; a canvas they do not refuse.
        if (error.name === 'NotAllowedError') this.fail(new Failure('refused', 'This browser does not let the video start.'));
      });
      this.#watchFrames();
    });
    pc.addEventListener('connectionstatechange', () => {
      if (pc.connectionState !== 'failed') return;
      this.fail(this.live ? new Failure('lost', 'The connection broke.') : new Failure('no_picture', 'No way to the host was found.'));
    });
    this.#open('control', {}, (message) => this.#hear(message));
    this.#open('pointer', {});
    this.#open('moves', { ordered: false, maxRetransmits: 0 });

    const [offer, iceServers] = await Promise.all([pc.createOffer(), serversOfHost()]);
    if (this.closed) return;
    if (iceServers.length) pc.setConfiguration({ ...pc.getConfiguration(), iceServers });
    await pc.setLocalDescription(offer);
    await gathered(pc);
    if (this.closed) return;
    const response = await ask(codec ? `/whep?codec=${encodeURIComponent(codec)}` : '/whep', {
      method: 'POST', body: pc.localDescription.sdp, headers: { 'Content-Type': 'application/sdp' },
    }, OFFER_MS);
    const place = response.headers.get('Location');
    if (place) this.#place = new URL(place, response.url).href;
    if (this.closed) return this.#bye(); // somebody left while the host was answering
    await pc.setRemoteDescription({ type: 'answer', sdp: await response.text() });
    this.every(1000, () => this.#eachSecond().catch(() => {})); // closed in between
  }

  #open(label, settings, onMessage) {
    const channel = (this.#channels[label] = this.pc.createDataChannel(label, settings));
    channel.addEventListener('message', ({ data }) => {
      if (this.closed || !onMessage) return;
      let message;
      try { message = JSON.parse(data); } catch { return; }
      if (message && typeof message === 'object') onMessage(message);
    });
    if (label !== 'control') return;
    channel.addEventListener('open', () => {
      if (this.#quality !== 'auto') this.setQuality(this.#quality);
      for (let i = 0; i < QUICK_PINGS; i++) this.after(i * 100, () => this.#ping());
    });
    channel.addEventListener('close', () => {
      if (this.live) this.fail(new Failure('lost', 'The host ended the connection.'));
    });
  }

  #hear({ type, data: given }) {
    const data = given ?? {};
    if (type === 'state') {
      this.heard();
      this.host = data;
      this.events.onHost(this);
    } else if (type === 'hello') {
      this.codec = data.codec ?? this.codec;
      this.sizes = Boolean(data.sizes);
      this.events.onHost(this);
    } else if (type === 'geometry') {
      this.#geometry.add(data);
    } else if (type === 'frame') {
      this.#join.told(data);
    } else if (type === 'pong') {
      this.clock.add(data.t0, data.t1_us, data.t2_us, performance.now());
    } else if (type === 'warning' || type === 'error') {
      this.events.onNotice(String(data.message ?? ''), type === 'error');
    }
  }

  #watchFrames() {
    const video = this.element;
    if (!video.requestVideoFrameCallback) return; // then the statistics count the frames
    const next = (now, frame) => {
      if (this.closed) return;
      video.requestVideoFrameCallback(next);
      this.#rtp = frame.rtpTimestamp ?? this.#rtp;
      this.frames = frame.presentedFrames;
      this.heard();
      this.pictureShown(frame.width, frame.height);
      if (frame.rtpTimestamp === undefined) return;
      this.#join.shown(frame.rtpTimestamp, {
        presentedAt: frame.presentationTime,
        receivedAt: frame.receiveTime,
        displayedAt: Math.max(frame.expectedDisplayTime, frame.presentationTime),
        decodeMs: frame.processingDuration === undefined ? undefined : frame.processingDuration * 1000,
      });
    };
    video.requestVideoFrameCallback(next);
  }

  /** A page in the background gets no frame callbacks, yet it has a picture. */
  #showing() {
    if (this.element.videoWidth) this.pictureShown(this.element.videoWidth, this.element.videoHeight);
  }

  async #eachSecond() {
    this.#ping();
    const seen = this.#digest.read(await this.pc.getStats());
    if (this.closed) return;
    const counts = Boolean(this.element.requestVideoFrameCallback);
    if (!counts) this.frames = seen.decoded;
    if (seen.decodedMore && (document.hidden || !counts)) {
      this.heard();
      this.#showing();
    }
    this.codec ??= seen.codec;
    this.facts = seen.facts;
    const { delayMs } = this.meter.read(performance.now());
    this.#say('report', {
      delay_ms: delayMs === null ? null : Math.round(delayMs), fps: this.fps === null ? null : Math.round(this.fps * 10) / 10,
      width: this.width || null, height: this.height || null, dropped: seen.dropped,
    });
  }

  #ping() {
    this.#say('ping', { t0: performance.now() });
  }

  #say(type, data) {
    const channel = this.#channels.control;
    if (channel?.readyState === 'open') channel.send(JSON.stringify({ type, data }));
  }

  #shownGeometry() {
    // Firefox tells no timestamp with the frame, but the receiver knows that of its last one.
    const rtp = this.#rtp ?? this.pc?.getReceivers()[0]?.getSynchronizationSources?.()[0]?.rtpTimestamp ?? null;
    return this.#geometry.at(rtp);
  }

  #bye() {
    // `keepalive`, because this also runs while the page goes away.
    if (this.#place) fetch(this.#place, { method: 'DELETE', headers: headers(), keepalive: true }).catch(() => {});
    this.#place = null;
  }
}

/** Asks the browser not to hold frames back for smoothness: this is a screen, not a film. */
function showAtOnce(receiver) {
  try { receiver.jitterBufferTarget = 0; } catch { /* older browsers refuse 0 */ }
  try { receiver.playoutDelayHint = 0; } catch { /* Chromium before 124 only */ }
}

/** The STUN and TURN servers that the host names: one `Link` header each, which arrive joined by commas. */
async function serversOfHost() {
  try {
    const links = (await ask('/whep', { method: 'OPTIONS' }, OFFER_MS)).headers.get('Link') ?? '';
    return links.split(/,\s*(?=<)/).filter((link) => /;\s*rel="?ice-server"?/.test(link)).map((link) => {
      const value = (name) => link.match(new RegExp(`;\\s*${name}="([^"]*)"`))?.[1];
      const server = { urls: link.match(/<([^>]*)>/)?.[1] ?? '' };
      return value('username') ? { ...server, username: value('username'), credential: value('credential') } : server;
    });
  } catch {
    return []; // the host is asked for more in a moment, and that failure is the one to show
  }
}

/** Resolves when all candidates are in the offer, or enough time was given to it. */
function gathered(pc) {
  return new Promise((done) => {
    const look = () => pc.iceGatheringState === 'complete' && done();
    pc.addEventListener('icegatheringstatechange', look);
    setTimeout(done, GATHER_MS);
    look();
  });
}
