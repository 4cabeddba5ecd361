// Takes `multipart/x-mixed-replace` apart. Bodies are found by their Content-Length, so a part is
// whole as soon as its last byte is here and not only when the next one begins.

const HEAD_LIMIT = 16 * 1024;
const BODY_LIMIT = 64 * 1024 * 1024;

/** @typedef {{headers: Map<string, string>, body: Uint8Array}} Part header names are in lower case */

/** A push parser: chunks of any size in, whole parts out. */
export class MultipartReader {
  #head = new Uint8Array(0);
  #headers = null;
  #body = null;
  #filled = 0;

  /**
   * @param {Uint8Array} chunk
   * @returns {Part[]} the parts that this chunk completed
   * @throws {Error} when the bytes can't be a stream of parts
   */
  push(chunk) {
    const parts = [];
    let at = 0;
    while (at < chunk.length) {
      if (!this.#body) {
        at = this.#takeHead(chunk, at);
        continue;
      }
      const piece = chunk.subarray(at, at + this.#body.length - this.#filled);
      this.#body.set(piece, this.#filled);
      this.#filled += piece.length;
      at += piece.length;
      if (this.#filled === this.#body.length) {
        parts.push({ headers: this.#headers, body: this.#body });
        this.#body = null;
      }
    }
    return parts;
  }

  #takeHead(chunk, at) {
    const before = this.#head.length;
    const joined = new Uint8Array(before + Math.min(chunk.length - at, HEAD_LIMIT));
    joined.set(this.#head);
    joined.set(chunk.subarray(at, at + HEAD_LIMIT), before);
    const end = blankLine(joined, Math.max(0, before - 3));
    if (end < 0) {
      if (joined.length >= HEAD_LIMIT) throw new Error('a part without an end of its headers');
      this.#head = joined;
      return chunk.length;
    }
    this.#headers = new Map();
    for (const line of new TextDecoder('latin1').decode(joined.subarray(0, end)).split('\r\n')) {
      const colon = line.indexOf(':');
      if (colon > 0 && !line.startsWith('--')) this.#headers.set(line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim());
    }
    const length = Number(this.#headers.get('content-length'));
    if (!(length > 0 && length <= BODY_LIMIT)) throw new Error('a part without a sensible length');
    this.#body = new Uint8Array(length);
    this.#filled = 0;
    this.#head = new Uint8Array(0);
    return at + end + 4 - before;
  }
}

function blankLine(bytes, from) {
  for (let i = from; i + 3 < bytes.length; i++)
    if (bytes[i] === 13 && bytes[i + 1] === 10 && bytes[i + 2] === 13 && bytes[i + 3] === 10) return i;
  return -1;
}
