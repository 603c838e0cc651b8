// What pairing promises: who knows the code is let in, once, and nobody learns it by trying; who is unpaired stays out. Rule: as in index.ts.

import { inFile } from '../breakage.ts';

export const PAIRING = [
  ...inFile(
    'src/pairing/cpace.ts',
    ["one's own share sent back is refused", "if (equalBytes(half.share, share)) throw new InputFault('share', 'is the one that was sent from here');", '', 'unit/pairing/cpace', 'unit/pairing/exchange'],
    ['the identity is refused', "if (shared.equals(ristretto255.Point.ZERO)) throw", 'if (false) throw', 'unit/pairing/cpace'],
    ['all that was said is hashed into the key', 'formatTranscript(transcript)]);', ']);', 'unit/pairing/cpace'],
    ['the channel is hashed into the generator', 'lengthValued([DSI, secret, padding, channel, session])', 'lengthValued([DSI, secret, padding, session])', 'unit/pairing/cpace', 'unit/pairing/exchange'],
  ),
  ...inFile(
    'src/pairing/exchange.ts',
    ['a confirmation is compared', 'tag.length === keys.tag.length && timingSafeEqual(tag, keys.tag)', 'tag.length === keys.tag.length', 'unit/pairing/exchange', 'unit/pairing/confirm', 'unit/pairing/shower-machine'],
    ['both addresses are hashed: a try cannot be passed on', '[utf8(CONTEXT), utf8(shower.jid), utf8(typer.jid)]', '[utf8(CONTEXT)]', 'unit/pairing/exchange', 'unit/pairing/shower-machine', 'property/pairing'],
    ['both nonces are hashed: a try cannot be replayed', 'concatBytes([typer.nonce, shower.nonce])', 'concatBytes([typer.nonce])', 'unit/pairing/exchange', 'property/pairing'],
    ['both versions are hashed', '[typer.version, shower.version].flatMap', '[typer.version].flatMap', 'unit/pairing/exchange', 'property/pairing'],
    ["a confirmation differs by role: one's own is none of the other's", '`${role} confirms`', '`confirms`', 'unit/pairing/exchange', 'unit/pairing/confirm', 'unit/pairing/shower-machine'],
  ),
  ...inFile(
    'src/pairing/confirm.ts',
    ['a card counts only behind a confirmation', "if (!isTagOf(keys, message.tag)) throw new Fault('bad-code', 'the tag does not fit the code');", '', 'unit/pairing/confirm', 'unit/pairing/shower-machine'],
    ['a card counts only from the address that it names', 'if (card.address !== expected.from) throw', 'if (false) throw', 'unit/pairing/confirm', 'unit/pairing/shower-machine'],
    ["one's own card is refused", 'if (card.device === expected.own.device) throw', 'if (false) throw', 'unit/pairing/confirm'],
  ),
  ...inFile('src/pairing/sealing.ts', ['a sealed card that was touched is refused', 'decipher.final()]);', ']);', 'unit/pairing/sealing', 'unit/pairing/confirm']),
  ...inFile(
    'src/pairing/shower-machine.ts',
    ['a code is spent by one wrong guess', "this.#state = isBurnt ? { knows: 'end' } : { knows: 'secret' };", "this.#state = { knows: 'secret' };", 'unit/pairing/shower-machine'],
    ['a code that pairs pairs once', "this.#state = { knows: 'end' };\n      return { reply,", 'return { reply,', 'unit/pairing/shower-machine'],
    ['a try that falls silent after its guess burns the code', 'return this.#giveUp(state.by, now);', 'return undefined;', 'unit/pairing/shower-machine'],
    ['one attempt at a time', "if ('by' in state && state.by !== stanza.from) return { refusal: 'busy' };", '', 'unit/pairing/shower-machine'],
    ['a second hello after the guess is no second guess', "if (this.#state.knows === 'keys' && secret.kind === 'code') return this.#outOfTurn({ from, now });", '', 'unit/pairing/shower-machine'],
    ['burnt codes are counted', 'burns.record(now);', '', 'unit/pairing/shower-machine'],
    ['each try has a nonce of its own', 'this.#tries += 1;', '', 'unit/pairing/shower-machine'],
  ),
  ...inFile(
    'src/pairing/typer-machine.ts',
    ['whatever goes wrong ends the one try', "this.#state = { knows: 'end' };\n    return { event: { type: 'refused', why } };", "return { event: { type: 'refused', why } };", 'unit/pairing/typer-machine'],
    ['a code is not typed on the device that shows it', 'if (card.address === shower) {', 'if (false) {', 'unit/pairing/typer-machine'],
  ),
  ...inFile('src/pairing/burns.ts', ['after three burns in ten minutes the fourth code waits', 'if (oldest === undefined) return 0;', 'return 0;', 'unit/pairing/burns', 'unit/pairing/shower-machine']),
  ...inFile('src/pairing/words.ts', ['no word of a code is guessed', '(text.length >= SURE_PREFIX && word.startsWith(text))', 'word.startsWith(text)', 'unit/pairing/words']),
  ...inFile(
    'src/pairing/invite-format.ts',
    ['the server learns nothing of an invite but a hash', "createHash('sha256').update(ID_LABEL).update(secret).digest('hex').slice(0, 32)", "Buffer.from(secret).toString('hex').slice(0, 32)", 'unit/pairing/invite-format'],
    ['an invite that was cut short is refused', 'if (!/^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/.test(text)) {', 'if (false) {', 'unit/pairing/invite-format'],
  ),
  ...inFile('src/agent/invites.ts', ['an invite is over after its day', 'expiresAt > this.#clock.now()', 'true', 'unit/agent/invites'], ['an invite is used once', '!isSpent(secret)', 'true', 'unit/agent/invites']),
  ...inFile(
    'src/pairing/devices-machine.ts',
    ['an unpaired device says nothing of others', "if (facts.revoked.has(list.device)) return { type: 'refused'", "if (false) return { type: 'refused'", 'unit/pairing/devices-machine'],
    ['only own devices say who is unpaired', "if (signer?.kind !== 'own' || list.account !== facts.account) return", 'if (signer === undefined) return', 'unit/pairing/devices-machine'],
    ['an older list is refused', 'if (list.counter < seen) return', 'if (false) return', 'unit/pairing/devices-machine'],
    ['an introduction ends after 30 days', 'now - at >= INTRODUCTION_MS', 'false', 'unit/pairing/devices-machine'],
    ['an introduced device may not introduce', 'isIntroduced: signer.via !== undefined', 'isIntroduced: false', 'unit/pairing/devices-machine'],
  ),
  ...inFile('src/pairing/devices-format.ts', ['a device list counts only when its device signed it', 'pin !== undefined && isSignedBy(concatBytes([context, signed.statement]), signed.signature, pin)', 'pin !== undefined', 'unit/pairing/devices-format']),
];
