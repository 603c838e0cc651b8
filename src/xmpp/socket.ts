// An encrypted stream in the shape that @xmpp/connection wants of a socket (its lib/Socket.js).
// Rule: it exists only once TLS is up and verified, so the library can neither start nor skip encryption; and who does not take what is sent is not read.

import { EventEmitter } from 'node:events';
import type { TLSSocket } from 'node:tls';
import { messageOf } from '../lib/errors.ts';
import { StreamText } from './stream-text.ts';

/**
 * What may wait to be sent while more is read, in bytes: every stanza that is read may have to be answered, and a server need not read. Far more than the
 * windows of many streams: a server that itself waits for its reader would wait for this one.
 */
const MAX_UNSENT = 16 << 20;

/** Events: `heard` (any byte came in), `data` (text for the parser), `error`, `close`. */
export class StreamSocket extends EventEmitter {
  /** What the library asks before it sends its own address. */
  readonly secure = true;
  readonly #tls: TLSSocket;
  readonly #text = new StreamText();

  constructor(tls: TLSSocket) {
    super();
    this.#tls = tls;
    tls.on('data', (bytes: Buffer) => this.#receive(bytes));
    tls.on('drain', () => tls.resume());
    tls.on('error', (error) => this.emit('error', error));
    tls.on('close', () => this.emit('close'));
  }

  /** @param done called when the kernel has taken the text: the only backpressure there is */
  write(text: string, done: (error?: Error | null) => void): void {
    if (this.#tls.write(text, 'utf8', done) || this.#tls.writableLength < MAX_UNSENT) return;
    this.#tls.pause();
  }

  end(): void {
    this.#tls.end();
  }

  destroy(): void {
    this.#tls.destroy();
  }

  /** Keying material that binds a login to this very TLS 1.3 session (RFC 9266 §4); undefined on older TLS. */
  channelBinding(): Uint8Array | undefined {
    if (this.#tls.getProtocol() !== 'TLSv1.3') return undefined;
    return this.#tls.exportKeyingMaterial(32, 'EXPORTER-Channel-Binding', Buffer.alloc(0));
  }

  #receive(bytes: Buffer): void {
    this.emit('heard');
    let text: string;
    try {
      text = this.#text.receive(bytes);
    } catch (error) {
      this.#tls.destroy(error instanceof Error ? error : new Error(messageOf(error)));
      return;
    }
    if (text !== '') this.emit('data', text);
  }
}
