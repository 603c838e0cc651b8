// What a link promises: pins on both sides before any request, bounds, an end that says how it went. Rule: as in index.ts.

import { inFile } from '../breakage.ts';

export const LINK = [
  ...inFile(
    'src/link/secure.ts',
    ['the dialler takes the pin that it dialled and no other', 'if (secure === undefined || secure.spki !== pin) {', 'if (secure === undefined) {', 'unit/link/secure'],
    ['the listener lets paired devices in alone', 'if (secure !== undefined && isKnown(secure.spki))', 'if (secure !== undefined)', 'unit/link/secure'],
    ['both sides show a certificate', 'requestCert: true, ', '', 'unit/link/secure'],
    ['TLS 1.3 and nothing older', "minVersion: 'TLSv1.3', ", "minVersion: 'TLSv1.2', ", 'unit/link/secure'],
    ['the key that resumes a pipe is the link’s own', 'stream.exportKeyingMaterial(32, EXPORTER_LABEL, Buffer.alloc(0))', 'Buffer.alloc(32)', 'unit/link/secure'],
  ),
  ...inFile(
    'src/link/accept.ts',
    ['a link is resumed from its own account alone', 'if (known === undefined || known.account !== account) return', 'if (known === undefined) return', 'unit/link/accept'],
    ['who has shown no key may send what a handshake takes', 'accepted.pipe.stats.received > UNSECURED_BYTES', 'false', 'unit/link/accept'],
    ['who has shown no key has ten seconds', 'const timer = clock.setTimer(HANDSHAKE_MS, () => pipe.destroy());', 'const timer = clock.setTimer(HANDSHAKE_MS, () => undefined);', 'unit/link/accept'],
    ['an account has few links that are not up yet', 'unsecured.length >= MAX_UNSECURED_PER_ACCOUNT || ', '', 'unit/link/accept'],
    ['who is unpaired loses its links at once', 'if (each.who === who) each.pipe.destroy();', ';', 'unit/link/accept'],
    ['the pin belongs to the account that the carrier comes from', "accepted.who = findPeer(secure.spki, accepted.account);\n    if (accepted.who === undefined) return", "accepted.who = findPeer(secure.spki, 'x@y' as BareJid);\n    if (accepted.who === undefined) return", 'unit/link/accept'],
    ['a device that is started anew has one link', 'this.#supersede(accepted);', '', 'unit/link/accept'],
    ['a stranger at the door is told of', 'if (!isPaired) onStranger(carrier);', '', 'unit/link/accept'],
  ),
  ...inFile(
    'src/link/serve.ts',
    ['a body has its limit', 'if (length > MAX_JSON_BYTES) throw', 'if (false) throw', 'unit/link/serve'],
    ['who resets without end loses the link', 'if (resets.length > MAX_RESETS) session.destroy();', '', 'unit/link/serve'],
    ['streams at a time are few', 'maxConcurrentStreams: 16, ', '', 'unit/link/serve'],
    ['headers have their limit', 'maxHeaderListSize: 8192, ', '', 'unit/link/serve'],
    ['an error of this machine tells no paths', "fault.code === 'internal' || fault.code === 'git' ? new Fault('agent', 'an error there; its log says more') : fault", 'fault', 'unit/link/serve'],
    ['a request that was reset is no dead agent', 'if (isGone(stream)) return;\n  if (stream.headersSent)', 'if (stream.headersSent)', 'unit/link/serve'],
    ['whatever a handler throws is answered', '.catch((error: unknown) => refuse(request, error, log));', '.catch(() => undefined);', 'unit/link/serve'],
  ),
  ...inFile(
    'src/link/carry.ts',
    ['a request that is cut off is no clean end of input', 'if (!stream.aborted) process.stdin.end();', 'process.stdin.end();', 'unit/link/carry'],
    ['how a process ended is told', "[HEADER.gitExit]: String(told)", "[HEADER.gitExit]: '0'", 'unit/link/carry'],
    ['a process that does not read makes its writer wait', '!process.stdin.destroyed && !process.stdin.write(part)) input.pause();', '!process.stdin.destroyed) process.stdin.write(part);', 'unit/link/carry'],
    ['what may go on no more is cut', 'process.onCut?.(() => stream.close(constants.NGHTTP2_REFUSED_STREAM));', '', 'unit/link/carry'],
  ),
  ...inFile(
    'src/link/services.ts',
    ['an end without its exit code is a lost link', "if (exitCode !== undefined) resolve({ exitCode,", 'resolve({ exitCode: exitCode ?? 0,', 'unit/link/services'],
    ['an answer has its limit', 'if (length <= MAX_JSON_BYTES) return;', 'return;', 'unit/link/services'],
    ['a request has its deadline', 'return withDeadline(answer, options.deadlineMs, options.clock, late);', 'return answer;', 'unit/link/services'],
    ["a peer's words are cut and tamed", 'clean(message.slice(0, 300))', 'message', 'unit/link/services'],
  ),
  ...inFile(
    'src/link/http-format.ts',
    ['an offer names few bases', "if (bases.length > MAX_BASES) throw new InputFault('offer'", "if (false) throw new InputFault('offer'", 'unit/link/http-format'],
    ['no service is started but the two', "if (text === 'git-upload-pack' || text === 'git-receive-pack') return text;", 'return text as GitService;', 'unit/link/http-format'],
    ['a pack does not begin beyond its end', 'if (size === 0 || offset > size) throw', 'if (false) throw', 'unit/link/http-format'],
    ['git’s protocol is one of three', 'if (!/^version=[012]$/.test(text)) throw', 'if (false) throw', 'unit/link/http-format'],
  ),
  ...inFile(
    'src/link/pipe-stream.ts',
    ['a lost link is never taken for a finished one', "else this.destroy(faultOf(reason));", 'else this.push(null);', 'unit/link/pipe-stream'],
    ['who does not read makes the other end wait', 'if (this.readableLength < this.readableHighWaterMark || this.destroyed) return', 'if (true) return', 'unit/link/pipe-stream'],
    ['a write goes on when there is room', "case 'acknowledged':\n        return this.#writeOn();", "case 'acknowledged':\n        return;", 'unit/link/pipe-stream'],
    ['a silent in-band carrier casts doubt on the connection', "=== 'in-band') this.#options.onSuspect?.();", "=== 'none') this.#options.onSuspect?.();", 'unit/link/pipe-stream'],
  ),
  ...inFile(
    'src/link/bulk-machine.ts',
    ['bulk waits for what is small', 'const mayEnter = room > 0 && (isInteractive(first) || !this.#isHeld(now));', 'const mayEnter = room > 0;', 'unit/link/bulk-machine', 'property/bulk'],
    ['bulk waits for five seconds and no more', 'now < this.#heldSince + MAX_HOLD_MS) return', 'true) return', 'unit/link/bulk-machine', 'property/bulk'],
    ['bulk enters an empty pipe alone', 'return isRoomy ? this.#allowance - unsent : 0;', 'return this.#allowance;', 'unit/link/bulk-machine', 'property/bulk'],
    ['streams take turns', '// To the end of the row.\n    this.#streams.delete(stream.key);', '', 'unit/link/bulk-machine', 'property/bulk'],
  ),
  ...inFile(
    'src/link/bulk-gate.ts',
    ['a body ends with its stream', "else stream.once('close', () => this.destroy());", '', 'unit/link/bulk-gate'],
  ),
  ...inFile(
    'src/link/lane-door.ts',
    ['a lane is taken with the key of its link alone', '(spki) => spki === lane.spki', '() => true', 'unit/link/lanes'],
    ['a lane is taken for the stream that it was told for', 'if (hello.linkId !== lane.linkId || hello.stream !== lane.name.stream || hello.way !== lane.name.way) throw', 'if (false) throw', 'unit/link/lanes'],
    ['lanes that are waited for are few', 'if (this.#expected.size >= MAX_EXPECTED) throw', 'if (false) throw', 'unit/link/lane-door'],
  ),
  ...inFile(
    'src/link/lane-machine.ts',
    ['no byte of a lane is lost when it goes back to the link', 'const parts = first === undefined ? [] : [first.subarray(this.#acked - this.#from), ...others];', 'const parts = others;', 'property/lanes'],
    ['no byte of a lane comes twice', 'first.subarray(this.#acked - this.#from)', 'first', 'unit/link/lane-machine'],
    ['the link brings nothing of what its lane brings', 'if (this.#lane !== undefined && this.#linkAt + bytes > this.#lane.from) throw', 'if (false) throw', 'property/lanes'],
    ['an acknowledgement of a lane is of what was sent', "if (offset > this.#end) throw", 'if (false) throw', 'property/lanes'],
    ['what a lane keeps is bounded', 'held < this.#maxBytes && (this.#budget', 'true && (this.#budget', 'property/lanes'],
  ),
  ...inFile(
    'src/link/links.ts',
    ['who asks while a link is made waits for that one', 'if (running !== undefined) return running;', '', 'unit/link/links'],
    ['a dial takes five seconds and no more', 'withDeadline(this.#attempt(peer), DIAL_DEADLINE_MS, clock, () => this.#offline(peer))', 'this.#attempt(peer)', 'unit/link/links'],
    ['a link that is unwanted before it is up is ended', 'if (attempt.unwanted === undefined) return this.#keep', 'return this.#keep', 'unit/link/links'],
  ),
  ...inFile(
    'src/link/limit-machine.ts',
    ['no more goes out than the limit that is set', 'this.#tokens -= bytes;', '', 'unit/link/limit-machine', 'property/limits'],
    ['who waits for a limit has its turn', 'if (this.#ahead(taker) > 0 ||', 'if (', 'unit/link/limit-machine', 'property/limits'],
  ),
];
