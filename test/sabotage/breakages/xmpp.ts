// What is promised towards the server: nothing unencrypted, no password shown, an impostor found out, a flood survived. Rule: as in index.ts.

import { inFile } from '../breakage.ts';

export const XMPP = [
  ...inFile(
    'src/xmpp/scram.ts',
    ['the server proves that it knows the password', '|| !timingSafeEqual(signature, expected)', '', 'unit/xmpp/scram'],
    ['few rounds are refused', 'iterations < MIN_ITERATIONS || ', '', 'unit/xmpp/scram'],
    ['endless rounds are refused', ' || iterations > MAX_ITERATIONS', '', 'unit/xmpp/scram'],
    ["the server's challenge answers our nonce", '!nonce.startsWith(clientNonce) || ', '', 'unit/xmpp/scram'],
    ['login is bound to the TLS session', 'Buffer.concat([header, binding.data])', 'header', 'unit/xmpp/scram', 'unit/xmpp/sasl'],
  ),
  ...inFile(
    'src/xmpp/sasl.ts',
    ['SCRAM or nothing', "const MECHANISMS = ['SCRAM-SHA-1',", "const MECHANISMS = ['PLAIN', 'SCRAM-SHA-1',", 'unit/xmpp/sasl'],
    ['login is never weaker than before', 'if (MECHANISMS.indexOf(chosen) < before) {', 'if (false) {', 'unit/xmpp/sasl'],
    ["a success without the server's proof is none", 'if (!this.#exchange.isVerified) this.#exchange.verify(', 'if (false) this.#exchange.verify(', 'unit/xmpp/sasl'],
    ['the strongest mechanism is used', 'MECHANISMS.findLast(', 'MECHANISMS.find(', 'unit/xmpp/sasl'],
  ),
  ...inFile(
    'src/xmpp/starttls.ts',
    ['no encryption, no connection', "throw new Fault('no-encryption', `${this.#domain} offers no encryption, or", "this.#isDone = true; if (false) throw new Fault('no-encryption', `${this.#domain} offers no encryption, or", 'unit/xmpp/dial', 'unit/xmpp/connection'],
    ['what was slipped in before the encryption ends the attempt', "if (this.#isDone && this.#held !== '') {", 'if (false) {', 'unit/xmpp/dial'],
    ['what comes before the encryption is bounded', 'if (this.#received > MAX_PLAIN_BYTES) throw', 'if (false) throw', 'unit/xmpp/dial'],
  ),
  ...inFile(
    'src/xmpp/encrypt.ts',
    ['the certificate is that of the domain', 'problem: stream.authorized ? undefined : problemOf(stream, domain, certificate)', 'problem: undefined', 'unit/xmpp/dial', 'unit/xmpp/connection'],
    ['--ca makes one authority the only one', '...(ca === undefined ? {} : { ca }),', '', 'unit/xmpp/dial', 'unit/xmpp/connection'],
  ),
  ...inFile(
    'src/xmpp/dial.ts',
    ['a host whose certificate is wrong is not used', 'if (problem !== undefined) throw problem;', '', 'unit/xmpp/dial'],
    ['a host that does not answer is not waited for for ever', 'STEP_MS,\n', '2 ** 30,\n', 'unit/xmpp/dial'],
  ),
  ...inFile('src/xmpp/connection.ts', ['who asks is told what this is', 'answerDiscovery(connection);', '', 'unit/xmpp/connection']),
  ...inFile(
    'src/xmpp/handlers.ts',
    ['requests that are not answered yet are bounded', 'if (this.#unanswered >= MAX_UNANSWERED) return', 'if (false) return', 'unit/xmpp/handlers'],
    ['a request that failed makes room', 'this.#unanswered -= 1;', '', 'unit/xmpp/handlers'],
    ['a headline that cannot be read ends nothing', "this.#log.warn('headline failed'", "throw error; this.#log.warn('headline failed'", 'unit/xmpp/handlers'],
    ['only headlines are announcements', "|| attrOf(message, 'type') !== 'headline'", '', 'unit/xmpp/handlers'],
  ),
  ...inFile(
    'src/xmpp/requests.ts',
    ['an answer counts from whom was asked alone', "|| !mayAnswer(attrOf(stanza, 'from'), waiting.to, own)", '', 'unit/xmpp/requests'],
    ['a request ends at its deadline', "reject(new Fault('timeout',", "void (new Fault('timeout',", 'unit/xmpp/requests'],
    ['requests end with their connection', 'for (const id of this.#waiting.keys()) this.fail(id, fault);', '', 'unit/xmpp/requests'],
  ),
  ...inFile(
    'src/xmpp/sign-in.ts',
    ['what only a person can mend is not tried again', 'if (HOPELESS.includes(code)) return undefined;', '', 'unit/xmpp/sign-in'],
    ['waits between attempts grow', 'Math.min(backoff.fail(random), ', 'Math.min(1000, ', 'unit/xmpp/sign-in'],
    ['a success ends the growing', 'this.#failed.succeed();', '', 'unit/xmpp/sign-in'],
    ['a connection that is lost is made again', 'if (!signal.aborted) this.#retry(fault, this.#lost,', 'if (false) this.#retry(fault, this.#lost,', 'unit/xmpp/sign-in'],
    ['another network begins the attempt anew', 'if (this.#attempt !== undefined) this.#attempt.abort();', 'if (this.#attempt !== undefined) return;', 'unit/xmpp/sign-in'],
    ['nobody signs in after the end', 'if (signal.aborted) await connection.close();', 'if (false) await connection.close();', 'unit/xmpp/sign-in'],
  ),
  ...inFile(
    'src/xmpp/liveness.ts',
    ['a server that is silent is given up', 'this.#options.onDead();', '', 'unit/xmpp/liveness'],
    ['a server that is silent is asked', 'this.#options.ask();', '', 'unit/xmpp/liveness'],
  ),
  ...inFile(
    'src/xmpp/pep.ts',
    ['an item lies no more open than asked', "formatField('pubsub#access_model', access)", "formatField('pubsub#access_model', 'open')", 'unit/xmpp/pep'],
    ['a node is as asked before anything is published to it', 'await configure(connection, node, options);', '', 'unit/xmpp/pep'],
    ['who is no reader any more loses the right to read', "formatAffiliation(jid, 'none')", "formatAffiliation(jid, 'member')", 'unit/xmpp/pep'],
    ['an item of another node is none', "|| attrOf(items, 'node') !== node) return undefined;", ') return undefined;', 'unit/xmpp/pep'],
  ),
  ...inFile(
    'src/xmpp/trace.ts',
    ['no payload is printed by --debug', 'return isPayload ? `[${child.length} characters]` : shorten(child);', 'return shorten(child);', 'unit/xmpp/trace'],
    ['no secret of a sign-in is printed by --debug', 'redactLog(stringify(copy, 2))', 'stringify(copy, 2)', 'unit/xmpp/trace'],
    ['a peer does not steer the terminal', ".replace(/(?!\\n)\\p{Cc}/gu, '?')", '', 'unit/xmpp/trace'],
  ),
];
