// STARTTLS by our own hand, before the library sees the stream (RFC 6120 §5). Rule: no encryption, no connection;
// and nothing that came unencrypted outlives the switch (the buffered-injection attack on STARTTLS).

import { StringDecoder } from 'node:string_decoder';
import type { Socket } from 'node:net';
import { xml as library } from '@xmpp/client';
import { Fault } from '../lib/errors.ts';
import { NS_CLIENT, NS_STARTTLS, NS_STREAM } from './namespaces.ts';
import { xml } from './element.ts';
import type { Element } from './element.ts';
import { faultOfLibrary, faultOfStreamError } from './faults.ts';

const MAX_PLAIN_BYTES = 65_536;

/**
 * Asks the server on `tcp` to switch to TLS; when this resolves the next byte is the handshake's.
 * @throws Fault `no-encryption` when the server will not, `tcp` when the connection ends
 */
export function negotiateStartTls(tcp: Socket, domain: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const dialogue = new Dialogue(domain);
    const settle = (fault?: Fault): void => {
      tcp.off('data', onData).off('close', onClose);
      if (fault === undefined) resolve();
      else reject(fault);
    };
    const onClose = (): void => settle(new Fault('tcp', `${domain} closed the connection before it was encrypted`));
    const onData = (bytes: Buffer): void => {
      try {
        const reply = dialogue.receive(bytes);
        if (reply !== '') tcp.write(reply);
        if (dialogue.isDone) settle();
      } catch (error) {
        settle(faultOfLibrary(error));
      }
    };
    tcp.on('data', onData).on('close', onClose);
    tcp.write(formatHeader(domain));
  });
}

/** `<stream:stream>` without its end; no sender, which is nobody's business yet. */
function formatHeader(domain: string): string {
  const header = xml('stream:stream', { to: domain, version: '1.0', xmlns: NS_CLIENT, 'xmlns:stream': NS_STREAM });
  return `<?xml version='1.0'?>${header.toString().slice(0, -2)}>`;
}

/** A page of a captive network answers whatever it is sent, in HTTP. @throws Fault `server` where no XML begins (RFC 6120 §4.2), or that of a page */
function checkBeginning(text: string, domain: string): void {
  const begin = text.trimStart();
  if (begin === '' || (begin.startsWith('<') && !/^<(?:!|html)/i.test(begin))) return;
  const line = begin.split(/[\r\n]/)[0]?.replace(/[^\x20-\x7e]/g, '?').slice(0, 60);
  throw new Fault('server', `what answers for ${domain} is no XMPP server: it says "${line}"`, {
    remedy: 'this network may ask you to sign in on a web page first; the agent tries again by itself',
  });
}

/** Reads the server's half, element by element. */
class Dialogue {
  readonly #domain: string;
  readonly #parser = new library.Parser();
  readonly #decoder = new StringDecoder('utf8');
  #received = 0;
  #held = '';
  #reply = '';
  #isDone = false;

  constructor(domain: string) {
    this.#domain = domain;
    this.#parser.on('element', (element: Element) => this.#read(element));
    this.#parser.on('error', (error: Error) => {
      throw error;
    });
  }

  get isDone(): boolean {
    return this.#isDone;
  }

  receive(bytes: Buffer): string {
    this.#received += bytes.length;
    if (this.#received > MAX_PLAIN_BYTES) throw new Fault('no-encryption', `${this.#domain} sends too much before it encrypts`);
    this.#held += this.#decoder.write(bytes);
    if (this.#received === bytes.length) checkBeginning(this.#held, this.#domain);
    this.#reply = '';
    for (let end = this.#held.indexOf('>') + 1; end > 0 && !this.#isDone; end = this.#held.indexOf('>') + 1) {
      const piece = this.#held.slice(0, end);
      this.#held = this.#held.slice(end);
      this.#parser.write(piece);
    }
    if (this.#isDone && this.#held !== '') {
      throw new Fault('no-encryption', `${this.#domain}: something was slipped in before encryption began`, {
        remedy: 'someone may tamper with this network; try another',
      });
    }
    return this.#reply;
  }

  #read(element: Element): void {
    if (element.is('error', NS_STREAM)) throw faultOfStreamError(element);
    if (element.is('proceed', NS_STARTTLS)) this.#isDone = true;
    else if (element.is('features', NS_STREAM) && element.getChild('starttls', NS_STARTTLS) !== undefined) {
      this.#reply = xml('starttls', { xmlns: NS_STARTTLS }).toString();
    } else {
      throw new Fault('no-encryption', `${this.#domain} offers no encryption, or someone in between hides it`, {
        remedy: "ask the server's operator, or try from another network",
      });
    }
  }
}
