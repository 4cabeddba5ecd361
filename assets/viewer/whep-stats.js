// The few of WebRTC's hundreds of statistics that say how the connection does.

/** Turns `getStats` reports, one a second, into rates and into lines to read. */
export class StatsDigest {
  #before = null;

  /**
   * @param {RTCStatsReport} report
   * @returns {{codec: string|null, decoded: number, decodedMore: boolean, dropped: number|null, facts: [string, string][]}}
   */
  read(report) {
    const all = [...report.values()];
    const inbound = all.find((one) => one.type === 'inbound-rtp' && one.kind === 'video');
    const pair = chosenPair(all);
    const codec = inbound && report.get(inbound.codecId);
    const before = this.#before ?? inbound;
    this.#before = inbound;
    const grown = (name) => (inbound?.[name] ?? 0) - (before?.[name] ?? 0);
    const seconds = (inbound?.timestamp - before?.timestamp) / 1000;

    const facts = [];
    const fact = (name, value) => value && facts.push([name, value]);
    if (codec) fact('Codec', [codec.mimeType.replace('video/', ''), profile(codec.sdpFmtpLine)].filter(Boolean).join(', '));
    fact('Decoder', inbound?.decoderImplementation !== 'unknown' && inbound?.decoderImplementation);
    if (pair) {
      fact('Path', `${ends(report.get(pair.localCandidateId))} ↔ ${ends(report.get(pair.remoteCandidateId))}`);
      const host = report.get(pair.remoteCandidateId);
      fact('Host address', host?.address && `${host.address}:${host.port} (${(host.protocol ?? '').toUpperCase()})`);
    }
    if (pair?.currentRoundTripTime !== undefined) fact('Round trip', `${(pair.currentRoundTripTime * 1000).toFixed(1)} ms`);
    if (inbound) {
      if (seconds > 0) fact('Bitrate', bitrate(grown('bytesReceived') * 8 / seconds));
      const emitted = grown('jitterBufferEmittedCount');
      if (emitted > 0) fact('Jitter buffer', `${(grown('jitterBufferDelay') / emitted * 1000).toFixed(1)} ms`);
      fact('Packets lost', `${inbound.packetsLost ?? 0} of ${(inbound.packetsReceived ?? 0) + Math.max(0, inbound.packetsLost ?? 0)}`);
      fact('Frames dropped', String(inbound.framesDropped ?? 0));
      fact('Freezes', String(inbound.freezeCount ?? 0));
    }
    return {
      codec: codec ? codec.mimeType.replace('video/', '').toLowerCase() : null,
      decoded: inbound?.framesDecoded ?? 0,
      decodedMore: grown('framesDecoded') > 0,
      dropped: inbound?.framesDropped ?? null,
      facts,
    };
  }
}

/** Bits a second, in the unit that leaves few digits. */
export function bitrate(bits) {
  return bits >= 1e6 ? `${(bits / 1e6).toFixed(1)} Mbit/s` : `${Math.round(bits / 1000)} kbit/s`;
}

function chosenPair(all) {
  const transport = all.find((one) => one.type === 'transport');
  const pairs = all.filter((one) => one.type === 'candidate-pair');
  return pairs.find((one) => one.id === transport?.selectedCandidatePairId) // Firefox has no transport statistics
    ?? pairs.find((one) => one.selected || (one.nominated && one.state === 'succeeded'));
}

function ends(candidate) {
  const names = { host: 'direct', srflx: 'through NAT', prflx: 'direct', relay: 'relay' };
  return names[candidate?.candidateType] ?? 'unknown';
}

function profile(fmtp = '') {
  const id = /profile-level-id=([0-9a-f]{6})/i.exec(fmtp)?.[1].toLowerCase();
  if (!id) return '';
  const names = { '42': parseInt(id.slice(2, 4), 16) & 0x40 ? 'constrained baseline' : 'baseline', '4d': 'main', '64': 'high' };
  return names[id.slice(0, 2)] ?? '';
}
