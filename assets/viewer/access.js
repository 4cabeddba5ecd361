// The secret that lets this page in: taken from the link, kept for this tab only.

const KEY = 'lenscast-secret';
let current = null;

/** The secret, or null where the page was opened without one. */
export function secret() {
  return current;
}

/** Keeps a secret for this tab, so that a reload doesn't need the link again. */
export function keepSecret(value) {
  current = value || null;
  try {
    if (current) sessionStorage.setItem(KEY, current);
    else sessionStorage.removeItem(KEY);
  } catch { /* storage is blocked: the secret lives as long as the page */ }
}

/**
 * Takes the secret out of the address, else out of this tab's storage.
 * It leaves the address bar, so that a screenshot or a shared window doesn't show it.
 * @returns {boolean} whether the address carried one
 */
export function takeSecret() {
  const found = fromFragment(location.hash);
  if (found) {
    keepSecret(found);
    history.replaceState(null, '', location.pathname + location.search);
    return true;
  }
  try { current ??= sessionStorage.getItem(KEY); } catch { /* as above */ }
  return false;
}

/**
 * Understands what somebody pastes: a whole link, its fragment or the bare secret.
 * @param {string} text
 * @returns {{secret: string, elsewhere: string|null}|null} `elsewhere` is the link, when it is another host's
 */
export function readLink(text) {
  const trimmed = text.trim();
  if (!trimmed) return null;
  if (/^https?:\/\//i.test(trimmed)) {
    let url;
    try { url = new URL(trimmed); } catch { return null; }
    const found = fromFragment(url.hash);
    return found && { secret: found, elsewhere: url.origin === location.origin ? null : url.href };
  }
  if (trimmed.includes('#')) {
    const found = fromFragment(trimmed.slice(trimmed.indexOf('#')));
    return found && { secret: found, elsewhere: null };
  }
  const bare = trimmed.replace(/^s=/, '');
  // A header takes printable ASCII only; anything else can't be a secret.
  return /^[\x21-\x7e]+$/.test(bare) ? { secret: bare, elsewhere: null } : null;
}

function fromFragment(fragment) {
  // Not URLSearchParams: that would turn a plus of the secret into a space.
  const value = /^#(?:.*&)?s=([^&]*)/.exec(fragment)?.[1];
  if (!value) return null;
  let found = value;
  try { found = decodeURIComponent(value); } catch { /* not encoded: as it stands */ }
  return /^[\x21-\x7e]+$/.test(found) ? found : null;
}
