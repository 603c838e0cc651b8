// What the pipe promises: each byte once and in order, over any number of carriers, for nobody else. Rule: as in index.ts.

import { inFile } from '../breakage.ts';

export const PIPE = [
  ...inFile(
    'src/pipe/inbound.ts',
    ['data goes on exactly where it stopped', 'if (frame.offset !== acks.received) {', 'if (false) {', 'unit/pipe/inbound', 'unit/pipe/pipe-machine'],
    ['a PING is answered', 'outbox.pong(frame.number);', '', 'unit/pipe/inbound', 'unit/pipe/pipe-machine'],
    ['a frame out of place ends the pipe', "throw new InputFault('pipe frame', `${frame.type} has no place on a running carrier`);", 'return [];', 'unit/pipe/inbound', 'unit/pipe/pipe-machine'],
  ),
  ...inFile(
    'src/pipe/replay.ts',
    ['what was sent in vain is sent again, from the byte that is missing', 'this.#sent = offset;\n    return isNew;', 'this.#sent = offset + 1;\n    return isNew;', 'unit/pipe/replay', 'property/pipe'],
    ['nothing is sent twice that has arrived', 'const isNew = this.acknowledge(offset);', 'const isNew = false;', 'unit/pipe/replay', 'property/pipe'],
    ['an acknowledgement beyond what was sent is refused', "if (offset > this.#sent) throw", 'if (false) throw', 'unit/pipe/replay', 'property/pipe'],
    ['an acknowledgement never goes back', 'if (offset < this.#start) throw', 'if (false) throw', 'unit/pipe/replay', 'property/pipe'],
    ['what is kept for replay is bounded', 'const taken = Math.min(bytes.length, this.roomBytes);', 'const taken = bytes.length;', 'unit/pipe/replay', 'property/pipe'],
    ['all pipes share one bound', 'Math.min(this.#maxBytes - held, this.#budget?.freeBytes ?? Infinity)', 'this.#maxBytes - held', 'unit/pipe/replay'],
    ['what is acknowledged gives its room back', 'this.#budget?.release(count);', '', 'unit/pipe/replay'],
    ['no pipe waits for another one', 'Math.max(0, room, Math.min(REPLAY_FLOOR, this.#maxBytes) - held)', 'Math.max(0, room)', 'unit/pipe/replay'],
  ),
  ...inFile(
    'src/pipe/resumption.ts',
    ['nobody without the key of the link resumes it', '|| !timingSafeEqual(macOf(this.#key, frame), frame.mac)', '', 'unit/pipe/resumption', 'property/pipe-handover'],
    ['a RESUME counts once', 'frame.epoch > this.#epoch : frame.epoch', 'frame.epoch >= this.#epoch : frame.epoch', 'unit/pipe/resumption'],
    ['a RESUMED answers the newest RESUME alone', ': frame.epoch === this.#epoch;', ': true;', 'unit/pipe/resumption'],
    ['a frame cannot be turned back on its sender', 'if (frame.type !== expected.type || frame.role !== expected.role)', 'if (false)', 'unit/pipe/resumption'],
    ['a RESUME counts on the carrier that it was made for alone', 'if (frame.carrier.kind !== carrier.kind || frame.carrier.sid !== carrier.sid)', 'if (false)', 'unit/pipe/resumption'],
    ['a RESUME counts for its own link alone', 'if (frame.linkId !== this.#linkId)', 'if (false)', 'unit/pipe/resumption'],
  ),
  ...inFile(
    'src/pipe/pipe-machine.ts',
    ['late bytes of an older carrier are ignored', 'if (current?.number !== attachment || this.isOver) return [];', 'if (current === undefined || this.isOver) return [];', 'unit/pipe/pipe-machine', 'property/pipe-handover'],
    ["an older carrier's end means nothing", 'return this.attachment === attachment ? this.#life.lose(now) : [];', 'return this.#life.lose(now);', 'unit/pipe/pipe-machine', 'property/pipe-handover'],
    ['nothing is sent before the other end has told where it stands', "if (state !== 'resuming') current.outbox.fill", 'current.outbox.fill', 'unit/pipe/pipe-machine', 'property/pipe-handover'],
    ['nothing before RESUMED counts', "if (frame.type !== 'resumed') return this.#life.kill", "if (frame.type !== 'resumed') return []; if (false) return this.#life.kill", 'unit/pipe/pipe-machine'],
  ),
  ...inFile(
    'src/pipe/lifecycle.ts',
    ['a pipe that finds no carrier is given up in the end', "if (this.#lostAt !== undefined && now >= this.#lostAt + this.#giveUpMs)", 'if (false)', 'unit/pipe/lifecycle', 'unit/pipe/pipe-machine'],
    ['trying a carrier does not begin the waiting anew', "if (state === 'resuming') this.#lostAt ??= now;", "if (state === 'resuming') this.#lostAt = now;", 'unit/pipe/lifecycle', 'unit/pipe/pipe-machine'],
    ['before TLS is up nothing is resumed', "if (!this.#resumption.hasKey) return this.end('lost', now);", '', 'unit/pipe/lifecycle', 'unit/pipe/pipe-machine'],
    ['CLOSE waits five seconds and no more', "if (this.#state === 'closing' && now >= this.#closeBy) return this.#finish(now);", '', 'unit/pipe/lifecycle', 'unit/pipe/pipe-machine'],
    ['what is unsent goes before CLOSE', '|| this.#replay.sent < this.#replay.end) return;', ') return;', 'unit/pipe/lifecycle', 'unit/pipe/pipe-machine'],
    ['a pipe that ended keeps nothing', 'this.#lostAt = undefined;\n    this.#replay.clear();', 'this.#lostAt = undefined;', 'unit/pipe/lifecycle', 'unit/pipe/pipe-machine'],
    ['who breaks the protocol loses the pipe', "this.close('protocol', now);", '', 'unit/pipe/lifecycle', 'unit/pipe/pipe-machine'],
    ['bytes that could be anybody’s prove no life', "if (this.#state === 'running') this.#liveness.heard(now);", 'this.#liveness.heard(now);', 'unit/pipe/lifecycle', 'unit/pipe/pipe-machine'],
  ),
  ...inFile(
    'src/pipe/liveness.ts',
    ['a carrier that is silent while bytes are owed is given up', "if (now >= this.#deadAt) return 'dead';", '', 'unit/pipe/liveness', 'unit/pipe/pipe-machine'],
    ['silence is asked about', "if (now < this.#pingAt) return 'well';", "return 'well';", 'unit/pipe/liveness'],
    ['an idle pipe sends nothing', "if (!this.#isExpecting) return 'well';", '', 'unit/pipe/liveness'],
    ['a clock that jumped kills no carrier', 'this.#firstPingAt === undefined ? Infinity :', 'this.#firstPingAt === undefined ? this.#silentSince + this.#pace.unheardMs :', 'unit/pipe/liveness'],
  ),
  ...inFile(
    'src/pipe/delayed-ack.ts',
    ['what has arrived is told in time', 'this.#dueAt ??= now + ACK_DELAY_MS;', '', 'unit/pipe/delayed-ack'],
    ['what has arrived is told before the other end runs dry', 'if (untold >= ACK_NOW_BYTES) this.#isDue = true;', '', 'unit/pipe/delayed-ack'],
  ),
  ...inFile(
    'src/pipe/frame-format.ts',
    ['a frame longer than its kind is refused at its header', 'if (length > LIMITS[type]) throw', 'if (false) throw', 'unit/pipe/frame-format', 'unit/pipe/frame-decoder'],
    ['nothing may follow what a frame holds', 'if (frame.type !== \'open\' || frame.version <= PIPE_VERSION) reader.end();', '', 'unit/pipe/frame-format'],
    ['what had arrived is under the MAC', 'Uint8Array.of(ROLES.indexOf(role)), encodeU64(received), codes, sid]', 'Uint8Array.of(ROLES.indexOf(role)), encodeU64(0), codes, sid]', 'unit/pipe/resumption', 'unit/pipe/frame-format'],
  ),
  ...inFile('src/pipe/frame-decoder.ts', ['a carrier begins with OPEN or RESUME', "if (header.type !== 'open' && header.type !== 'resume')", 'if (false)', 'unit/pipe/frame-decoder']),
  ...inFile('src/pipe/fields.ts', ['a field that is cut short is refused', "if (this.#bytes.length - this.#at < count) throw", 'if (false) throw', 'unit/pipe/fields']),
];
