// A plain XMPP client as a person would run it beside the agent: signs in by PLAIN over direct TLS, sends what it is told, keeps what it gets.
// Rule: no library between the test and the stream, so a spec sees every byte that the server sends.

import tls from 'node:tls';
import type { Prosody } from './prosody.ts';

export interface ChatClient {
  readonly jid: string;
  send(xml: string): void;
  /** All that came since sign-in. */
  received(): string;
  /** Resolves with the match as soon as what came since sign-in matches. @throws after `deadlineMs` (default 5 000 ms) or when the stream ends */
  waitFor(pattern: RegExp, deadlineMs?: number): Promise<RegExpExecArray>;
  /** Asks the server for an answer and waits for it: whatever was on its way before has come then. */
  settle(): Promise<void>;
  close(): Promise<void>;
}

export interface ChatClientOptions {
  readonly name: string;
  readonly password: string;
  readonly resource: string;
}

/** Signs in and binds; sends no presence. */
export async function startChatClient(server: Prosody, options: ChatClientOptions): Promise<ChatClient> {
  const { name, password, resource } = options;
  const stream = await Stream.open(server);
  const header = `<stream:stream to='${server.domain}' version='1.0' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>`;
  stream.send(header);
  await stream.waitFor(/<\/stream:features>/);
  const plain = Buffer.from(`\0${name}\0${password}`).toString('base64');
  stream.send(`<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>${plain}</auth>`);
  const [outcome] = await stream.waitFor(/<success|<failure.*?<\/failure>/s);
  if (outcome.startsWith('<failure')) {
    await stream.close();
    throw new Error(`${name} could not sign in: ${outcome}`);
  }
  stream.forget();
  stream.send(header);
  await stream.waitFor(/<\/stream:features>/);
  const bind = `<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>${resource}</resource></bind>`;
  stream.send(`<iq type='set' id='bind'>${bind}</iq>`);
  const [, jid = ''] = await stream.waitFor(/<jid>([^<]+)<\/jid>/);
  stream.forget();
  let pings = 0;
  return {
    jid,
    send: (xml) => stream.send(xml),
    received: () => stream.received,
    waitFor: (pattern, deadlineMs) => stream.waitFor(pattern, deadlineMs),
    async settle() {
      const id = `settle-${(pings += 1)}`;
      stream.send(`<iq type='get' id='${id}' to='${server.domain}'><ping xmlns='urn:xmpp:ping'/></iq>`);
      await stream.waitFor(new RegExp(`id='${id}'`));
    },
    close: () => stream.close(),
  };
}

class Stream {
  readonly #socket: tls.TLSSocket;
  readonly #watchers = new Set<() => void>();
  #received = '';
  #isClosed = false;

  static async open(server: Prosody): Promise<Stream> {
    const socket = tls.connect({ host: server.host, port: server.directTlsPort, servername: server.domain, ca: server.caPem });
    await new Promise((resolve, reject) => {
      socket.once('secureConnect', resolve);
      socket.once('error', reject);
    });
    return new Stream(socket);
  }

  private constructor(socket: tls.TLSSocket) {
    this.#socket = socket;
    socket.setNoDelay();
    socket.setEncoding('utf8');
    socket.on('data', (text: string) => {
      this.#received += text;
      this.#look();
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.#isClosed = true;
      this.#look();
    });
  }

  get received(): string {
    return this.#received;
  }

  forget(): void {
    this.#received = '';
  }

  send(xml: string): void {
    this.#socket.write(xml);
  }

  waitFor(pattern: RegExp, deadlineMs = 5_000): Promise<RegExpExecArray> {
    return new Promise((resolve, reject) => {
      const finish = (error?: Error): void => {
        this.#watchers.delete(look);
        clearTimeout(timer);
        if (error !== undefined) reject(error);
      };
      const words = (): string => `waiting for ${String(pattern)}; came: ${this.#received.slice(-2_000)}`;
      const timer = setTimeout(() => finish(new Error(`nothing came within ${deadlineMs} ms, ${words()}`)), deadlineMs);
      const look = (): void => {
        const match = pattern.exec(this.#received);
        if (match !== null) {
          finish();
          resolve(match);
        } else if (this.#isClosed) finish(new Error(`the stream ended, ${words()}`));
      };
      this.#watchers.add(look);
      look();
    });
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#isClosed) return resolve();
      this.#socket.once('close', () => resolve());
      this.#socket.end('</stream:stream>');
    });
  }

  #look(): void {
    for (const watcher of this.#watchers) watcher();
  }
}
