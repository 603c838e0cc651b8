// What carriers promise: blocks in order, backpressure, bounds, and no connection that was not offered inside the link. Rule: as in index.ts.

import { inFile } from '../breakage.ts';

export const CARRIERS = [
  ...inFile(
    'src/carriers/ibb-machine.ts',
    ['a block out of order ends the stream', 'if (seq !== this.#nextIn) return REFUSALS.outOfOrder;', '', 'unit/carriers/ibb-machine', 'property/ibb'],
    ['what waits for a consumer is bounded', 'if (waiting.blocks > limit.blocks || waiting.bytes > limit.bytes) return', 'if (false) return', 'unit/carriers/ibb-machine', 'property/ibb'],
    ['sequence numbers begin again after 65 535', 'this.#nextOut = (seq + 1) % SEQUENCE_MODULUS;', 'this.#nextOut = seq + 1;', 'unit/carriers/ibb-machine', 'property/ibb'],
    ['what was consumed makes room', 'this.#waiting = { blocks: this.#waiting.blocks - 1, bytes: this.#waiting.bytes - size };', '', 'unit/carriers/ibb-machine', 'property/ibb'],
  ),
  ...inFile(
    'src/carriers/ibb-session.ts',
    ['a block is answered when it is consumed', 'await this.#inbound.run(() => this.#consume(block.bytes));', 'void this.#inbound.run(() => this.#consume(block.bytes));', 'unit/carriers/ibb-session'],
    ['a block is never sent twice: an error ends the stream', '(error: unknown) => this.#fail(faultOfStream(error, this.peer)),', '() => undefined,', 'unit/carriers/ibb-session'],
    ['an answer opens the window again', 'this.#machine.acknowledge(block, clock.now());', '', 'unit/carriers/ibb-session', 'property/ibb'],
    ['a wrong block ends the stream', 'if (this.#machine.isOpen) this.#fail(new Fault', 'if (false) this.#fail(new Fault', 'unit/carriers/ibb-session'],
    ['what came before a close is consumed first', 'await withDeadline(drained, CLOSE_MS, this.#options.clock, late).catch(() => undefined);', '', 'unit/carriers/ibb-session'],
    ['a block that is not answered is not waited for for ever', 'await withDeadline(connection.iq(', 'await (async (asked: unknown, ..._rest: unknown[]) => asked)(connection.iq(', 'unit/carriers/ibb-session', 'unit/carriers/in-band'],
  ),
  ...inFile(
    'src/carriers/in-band.ts',
    ['a stream belongs to one full JID', 'keyOf(parseSid(iq.payload), parseFullJid(iq.from))', 'keyOf(parseSid(iq.payload), [...this.#sessions.values()][0]?.peer ?? parseFullJid(iq.from))', 'unit/carriers/in-band'],
    ['strangers get no stream', '|| !isWelcome(peer)) return', ') return', 'unit/carriers/in-band'],
    ['a device has few streams that nobody started', 'unstarted.filter((session) => session.peer === peer).length >= LIMITS.unstartedPerDevice', 'false', 'unit/carriers/in-band'],
    ['an account has few streams that nobody started', 'unstarted.length >= LIMITS.unstartedPerAccount ||', '', 'unit/carriers/in-band'],
    ['streams are bounded in all', 'all.length >= LIMITS.total ||', '', 'unit/carriers/in-band'],
    ['a stream that nobody starts is closed', 'if (!session.isStarted) void session.close();', '', 'unit/carriers/in-band'],
    ['a second stream of the same name is refused', ' || this.#sessions.has(keyOf(request.sid, peer))', '', 'unit/carriers/in-band'],
  ),
  ...inFile(
    'src/carriers/ibb-format.ts',
    ['a block is no larger than agreed', 'decodeBase64(element.getText(), blockSize)', 'decodeBase64(element.getText())', 'unit/carriers/ibb-format', 'property/ibb'],
    ['a stream’s name is bounded and plain', 'sid.length > MAX_SID_LENGTH || !NMTOKEN.test(sid)', 'false', 'unit/carriers/ibb-format', 'property/ibb'],
  ),
  ...inFile(
    'src/carriers/window-machine.ts',
    ['the window shrinks where the path is slow', 'this.#resize(this.#size * 0.7);', '', 'unit/carriers/window-machine'],
    ['the window grows where the path is free', 'this.#size = Math.min(Math.max(size, least), most);', 'this.#size = least;', 'unit/carriers/window-machine'],
    ['only a window that is used up shows the rate of the path', 'isFilling: this.room() === 0', 'isFilling: true', 'unit/carriers/window-machine'],
    ['blocks under way are bounded', 'this.#blocks < MAX_BLOCKS && ', '', 'unit/carriers/window-machine'],
  ),
  ...inFile(
    'src/carriers/expected-streams.ts',
    ['a query is answered only where the same offer came inside the link', '.find((one) => one.peer === peer && isSameOffer(one.offer, offer))', '.find((one) => one.peer === peer)', 'unit/carriers/expected-streams', 'unit/carriers/socks5'],
    ['an offer counts once', 'found?.forget();', '', 'unit/carriers/expected-streams', 'unit/carriers/socks5'],
    ['offers that wait are few', 'if (ofDevice.length >= LIMITS.perDevice || this.#expected.size >= LIMITS.total) {', 'if (false) {', 'unit/carriers/expected-streams'],
    ['a proxy is used only where it says itself that it is', 'if (!isDirect && !(await proxies.isGenuine(streamhost)))', 'if (false)', 'unit/carriers/expected-streams'],
    ['public addresses are connected to only where that is wished', 'isDirect ? !allowed.has(streamhost.host) : !ways.includes(streamhost)', '!isDirect && !ways.includes(streamhost)', 'unit/carriers/expected-streams', 'unit/carriers/socks5'],
  ),
  ...inFile(
    'src/carriers/streamhost-listener.ts',
    ['a connection is taken for a stream that is expected, once', 'this.#expected.has(name) && this.#expected.get(name) === undefined', 'true', 'unit/carriers/streamhost-listener'],
    ['connections that have named no stream are few', 'if (this.#unauthenticated.size >= MAX_UNAUTHENTICATED) return', 'if (false) return', 'unit/carriers/streamhost-listener'],
    ['who names no stream in time is let go', "this.#refuse(socket, 'named no stream in time');", 'undefined;', 'unit/carriers/streamhost-listener'],
    ['there is no listener when nothing is expected', 'void servers?.then((all) => all.map((server) => server.close()));', '', 'unit/carriers/streamhost-listener'],
    ['nobody from outside may connect unless that is wished', "|| !isWithin(this.#options.mode(), from)) return", ') return', 'unit/carriers/streamhost-listener'],
  ),
  ...inFile(
    'src/carriers/socks5-machine.ts',
    ['a proxy’s answer for another stream is refused', "if (isStreamName && name.toLowerCase() !== this.#name) throw", 'if (false) throw', 'unit/carriers/socks5-machine', 'property/socks5'],
    ['a refusal of a proxy is one', "if (reply !== REPLY.succeeded) throw", 'if (false) throw', 'unit/carriers/socks5-machine', 'property/socks5'],
  ),
  ...inFile(
    'src/carriers/socks5-dial.ts',
    ['a streamhost that says nothing is given up', 'const timer = clock.setTimer(timeoutMs, () => fail(', 'const timer = clock.setTimer(timeoutMs, () => void (', 'unit/carriers/socks5-dial'],
    ['what fails leaves no connection', 'stop();\n      socket.destroy();', 'stop();', 'unit/carriers/socks5-dial'],
  ),
  ...inFile(
    'src/carriers/addresses.ts',
    ['the internet is no private network', "(kind !== 'public' || mode === 'public')", 'true', 'unit/carriers/addresses'],
    ['an address that this machine has as well leads to itself', 'allowed.filter((host) => !isHere(host))', 'allowed', 'unit/carriers/addresses'],
  ),
  ...inFile(
    'src/carriers/tcp-carrier.ts',
    ['what is not consumed makes the other end wait', 'this.#waiting.push(bytes);\n    this.#socket.pause();', 'this.#waiting.push(bytes);', 'unit/carriers/tcp-carrier'],
    ['what the kernel does not take makes the source wait', "this.#state === 'open' && socket.writableLength < HIGH_WATER", "this.#state === 'open'", 'unit/carriers/tcp-carrier'],
    ['bytes that came with the handshake are not lost', 'this.#waiting = early.length > 0 ? [early] : [];', 'this.#waiting = [];', 'unit/carriers/tcp-carrier'],
    ['what came before the end is consumed', 'if (!this.#isConsuming) this.#fail(this.#peerEnded());\n    else', 'if (true) this.#fail(this.#peerEnded());\n    else', 'unit/carriers/tcp-carrier'],
  ),
  ...inFile('src/carriers/offered-stream.ts', ['a streamhost that was not offered is not used', 'const used = offer.streamhosts.find((one) => one.jid === jid);', 'const used = offer.streamhosts.find((one) => one.jid === jid) ?? offer.streamhosts[0];', 'unit/carriers/offered-stream']),
  ...inFile('src/carriers/bytestreams-format.ts', ['streamhosts of one offer are few', 'if (streamhosts.length === 0 || streamhosts.length > MAX_STREAMHOSTS) {', 'if (false) {', 'unit/carriers/bytestreams-format', 'property/socks5']),
];
