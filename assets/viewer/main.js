// Puts the page together: the player, the pointer, and what is shown of both.

import { keepSecret, readLink, takeSecret } from './access.js';
import { Details } from './details.js';
import { Hand } from './hand.js';
import { Player } from './player.js';
import { PointerInput, pointInPicture } from './pointer.js';
import { FullScreen } from './screen.js';
import { Face, transportName } from './face.js';
import { Tune } from './tune.js';

const query = new URLSearchParams(location.search);
const oneOf = (value, ...allowed) => (allowed.includes(value) ? value : undefined);
const byId = (id) => document.getElementById(id);

const stage = byId('stage');
const face = new Face();
const tune = new Tune((text) => face.notice(text, { topic: 'tune', serious: true }), () => details.close());
const details = new Details(() => tune.close());
const player = new Player(
  { choice: oneOf(query.get('transport'), 'webrtc', 'mjpeg') ?? 'auto', codec: oneOf(query.get('codec'), 'h264', 'vp8') },
  {
    onTry: ({ element }) => {
      element.className = 'picture waits';
      stage.append(element);
    },
    onShow: ({ element }, old) => {
      input.letGo();
      element.classList.remove('waits');
      // The last picture of a broken session stays until now, under "Reconnecting".
      for (const other of [...stage.children]) if (other !== element) other.remove();
      if (old) old.element.remove();
    },
    onGone: ({ element }) => {
      if (element.classList.contains('waits')) element.remove();
    },
    onChange: () => render(),
    onHost: () => render(),
    onNotice: (text, serious) => face.notice(text, { serious }),
  },
);

// ---- the pointer ----

let controlWanted = true; // the host has said yes already; the person can only take back
let controlTold = false;
const mayControl = () => Boolean(player.shown?.canPoint && !player.shown.host?.paused);
const controlling = () => controlWanted && mayControl();
const hand = new Hand(() => (controlling() ? player.shown : null));
const input = new PointerInput(stage, hand, controlling, (x, y) => {
  const { element, width, height } = player.shown;
  return pointInPicture(element, width, height, x, y);
});

byId('control').addEventListener('click', () => {
  controlWanted = !controlWanted;
  if (!controlWanted) input.letGo();
  render();
});

// ---- what is shown ----

let fallbackTold = '';
function render() {
  const active = controlling();
  if (!active && hand.holding) input.letGo();
  face.show(player, { active, wanted: controlWanted });
  tune.show(player.state === 'live' ? player.shown?.host : null);
  if (player.state === 'secret') stage.replaceChildren(); // who is no longer let in keeps no picture
  if (player.fallback !== fallbackTold) {
    fallbackTold = player.fallback;
    if (fallbackTold) {
      face.notice(`${fallbackTold} Showing MJPEG instead.`, { topic: 'fallback', action: 'Try WebRTC', onAction: () => choose('auto') });
    } else {
      face.hideNotice('fallback');
    }
  }
  if (active && !controlTold && !face.noticing) {
    controlTold = true;
    face.notice('Clicks and scrolling go to the shared screen. Turn Control off to only watch.', { topic: 'control' });
  }
  if (!active) face.hideNotice('control');
}

setInterval(() => {
  const shown = player.shown;
  const measured = shown ? shown.meter.read(performance.now()) : { delayMs: null, legs: {} };
  face.numbers(shown, measured.delayMs);
  details.show(shown, measured, player);
  render(); // whether there is something to point at also changes with the frames
}, 500);

// ---- what the person chooses ----

function choose(choice) {
  byId('transport').value = choice;
  player.choose(choice);
}
byId('transport').value = player.choice;
byId('transport').addEventListener('change', ({ target }) => choose(target.value));
byId('try-now').addEventListener('click', () => player.connect());

byId('secret-form').addEventListener('submit', (event) => {
  event.preventDefault();
  const link = readLink(byId('secret-input').value);
  byId('secret-error').textContent = link ? '' : 'There is no secret in this text.';
  if (!link) return;
  if (link.elsewhere) return location.assign(link.elsewhere);
  keepSecret(link.secret);
  player.restart();
});

const screen = new FullScreen(byId('fullscreen'));
addEventListener('keydown', (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || event.target.closest?.('input, select, textarea')) return;
  if (event.key === 'f' || event.key === 'F') {
    event.preventDefault();
    screen.toggle();
  } else if (event.key === 'Escape') {
    details.close();
    tune.close();
  }
});

// ---- the page's life ----

const comeBack = () => {
  if (document.hidden || player.state === 'secret') return;
  player.shown?.element.play?.().catch(() => {}); // some phones pause it in the background
  player.connect();
};
addEventListener('online', comeBack);
document.addEventListener('visibilitychange', comeBack);
addEventListener('hashchange', () => takeSecret() && player.restart());
addEventListener('pagehide', () => {
  input.letGo();
  player.stop();
});
addEventListener('pageshow', (event) => event.persisted && player.restart());

/**
 * For tests and consoles: what the page shows, as it is at the moment of asking. Nothing here can be set.
 * `state` is `connecting`, `live`, `reconnecting` or `secret`; `transport` `webrtc` or `mjpeg`; `codec` `h264`,
 * `vp8`, `jpeg` or null; `delayMs`, `fps` and `epoch` are null where unknown; `frames` counts the session's pictures;
 * `pc` is the RTCPeerConnection, or null; `host` what the host last said of itself; `legs` the delay's parts in ms.
 */
Object.defineProperty(window, 'lenscast', {
  get: () => {
    const shown = player.shown;
    const { delayMs, legs } = shown?.meter.read(performance.now()) ?? { delayMs: null, legs: {} };
    return Object.freeze({
      state: player.state, reason: player.reason, fallback: player.fallback,
      transport: player.transport, transportName: transportName(shown), codec: shown?.codec ?? null,
      width: shown?.width ?? 0, height: shown?.height ?? 0, fps: shown?.fps ?? null, frames: shown?.frames ?? 0,
      delayMs, legs, epoch: shown?.epoch ?? null, pc: shown?.pc ?? null, controlling: controlling(),
      host: shown?.host ? { ...shown.host } : null,
    });
  },
});

takeSecret();
player.connect();
