// A server that misbehaves as a spec tells it to, which no real one does.
// Rule: it does nothing by itself; the spec says each step.

import { createHash, createHmac, pbkdf2Sync } from 'node:crypto';
import net from 'node:net';
import tls from 'node:tls';
import type { TestCertificate } from './certificates.ts';

export interface FakeServer {
  readonly port: number;
  /** The next client that connects. */
  accept(): Promise<FakeStream>;
  stop(): Promise<void>;
}

/** Listens on 127.0.0.1; with a certificate by direct TLS, else in the clear. */
export async function startFakeServer(certificate?: TestCertificate): Promise<FakeServer> {
  const arrived: FakeStream[] = [];
  const waiting: ((stream: FakeStream) => void)[] = [];
  const onStream = (socket: net.Socket): void => {
    const stream = new FakeStream(socket);
    const taker = waiting.shift();
    if (taker === undefined) arrived.push(stream);
    else taker(stream);
  };
  const server =
    certificate === undefined
      ? net.createServer(onStream)
      : tls.createServer({ ...certificate, ALPNProtocols: ['xmpp-client'] }, onStream);
  const sockets = new Set<net.Socket>();
  server.on('connection', (socket: net.Socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    port: address.port,
    accept() {
      const stream = arrived.shift();
      return stream === undefined ? new Promise((resolve) => waiting.push(resolve)) : Promise.resolve(stream);
    },
    stop() {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

export const HEADER =
  "<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' from='localhost' id='1' version='1.0'>";
const NS_SASL = 'urn:ietf:params:xml:ns:xmpp-sasl';

export function offer(...mechanisms: readonly string[]): string {
  const names = mechanisms.map((name) => `<mechanism>${name}</mechanism>`).join('');
  return `${HEADER}<stream:features><mechanisms xmlns='${NS_SASL}'>${names}</mechanisms></stream:features>`;
}

export interface SignInScript {
  readonly password: string;
  /** Default true: the server proves that it knows the password. */
  readonly isHonest?: boolean;
  /** Default true: gives the client its address. */
  readonly isBinding?: boolean;
  /** Default true: offers XEP-0198. */
  readonly hasManagement?: boolean;
  /** More features after login, such as XEP-0478's. */
  readonly features?: string;
  /** Sent in the same piece as the last answer of the login. */
  readonly after?: string;
}

/** The server's end of one client's stream. */
export class FakeStream {
  readonly socket: net.Socket;
  /** Settles when the client is gone. */
  readonly closed: Promise<void>;
  /** Settles when the client asks for its address in `signIn`. */
  readonly bindAsked: Promise<void>;
  #onBindAsked = (): void => undefined;
  readonly #watchers = new Set<() => void>();
  #received = '';
  #isClosed = false;

  constructor(socket: net.Socket) {
    this.socket = socket;
    socket.setNoDelay(true);
    socket.on('error', () => undefined);
    socket.on('data', (bytes: Buffer) => {
      this.#received += bytes.toString('utf8');
      for (const look of this.#watchers) look();
    });
    this.bindAsked = new Promise((resolve) => {
      this.#onBindAsked = resolve;
    });
    this.closed = new Promise((resolve) => {
      socket.on('close', () => {
        this.#isClosed = true;
        for (const look of this.#watchers) look();
        resolve();
      });
    });
  }

  send(text: string | Uint8Array): void {
    this.socket.write(text);
  }

  /** Waits for what the client sends, and forgets all up to its end. */
  take(pattern: RegExp): Promise<RegExpExecArray> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        const match = pattern.exec(this.#received);
        if (match !== null) {
          this.#received = this.#received.slice(match.index + match[0].length);
          this.#watchers.delete(look);
          resolve(match);
        } else if (this.#isClosed) {
          this.#watchers.delete(look);
          reject(new Error(`the client closed; waited for ${String(pattern)}; came: ${this.#received}`));
        }
      };
      this.#watchers.add(look);
      look();
    });
  }

  /** Lets the client in as `jid`, by SCRAM-SHA-256. */
  async signIn(jid: string, script: SignInScript): Promise<void> {
    await this.take(/<stream:stream[^>]*>/);
    this.send(offer('SCRAM-SHA-256', 'PLAIN'));
    await this.authenticate(script.password, script.isHonest ?? true);
    await this.take(/<stream:stream[^>]*>/);
    const management = script.hasManagement === false ? '' : "<sm xmlns='urn:xmpp:sm:3'/>";
    this.send(
      `${HEADER}<stream:features><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>${management}${script.features ?? ''}</stream:features>`,
    );
    const [, id] = await this.take(/<iq type="set" id="([^"]+)"><bind.*?<\/iq>/);
    this.#onBindAsked();
    if (script.isBinding === false) return;
    const after = script.after ?? '';
    const bound = `<iq type='result' id='${id}'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><jid>${jid}</jid></bind></iq>`;
    this.send(script.hasManagement === false ? bound + after : bound);
    if (script.hasManagement === false) return;
    await this.take(/<enable [^>]*>/);
    this.send(`<enabled xmlns='urn:xmpp:sm:3'/>${after}`);
  }

  /** The server's side of RFC 7677. */
  async authenticate(password: string, isHonest: boolean): Promise<void> {
    const [, auth = ''] = await this.take(/<auth [^>]*>([^<]*)<\/auth>/);
    const bare = decode(auth).replace(/^[^,]*,[^,]*,/, '');
    const nonce = `${/r=([^,]+)/.exec(bare)?.[1] ?? ''}server`;
    const salt = Buffer.from('salt of the spec');
    const first = `r=${nonce},s=${salt.toString('base64')},i=4096`;
    this.send(`<challenge xmlns='${NS_SASL}'>${encode(first)}</challenge>`);
    const [, response = ''] = await this.take(/<response [^>]*>([^<]*)<\/response>/);
    const message = `${bare},${first},${decode(response).replace(/,p=.*$/, '')}`;
    const salted = pbkdf2Sync(password, salt, 4096, 32, 'sha256');
    const hmac = (key: Uint8Array, text: string): Buffer => createHmac('sha256', key).update(text).digest();
    const clientKey = hmac(salted, 'Client Key');
    const proof = hmac(createHash('sha256').update(clientKey).digest(), message).map(
      (byte, index) => byte ^ (clientKey[index] ?? 0),
    );
    if (!isHonest) {
      this.send(`<success xmlns='${NS_SASL}'>${encode(`v=${Buffer.alloc(32).toString('base64')}`)}</success>`);
    } else if (!decode(response).endsWith(`,p=${Buffer.from(proof).toString('base64')}`)) {
      this.send(`<failure xmlns='${NS_SASL}'><not-authorized/></failure>`);
    } else {
      this.send(
        `<success xmlns='${NS_SASL}'>${encode(`v=${hmac(hmac(salted, 'Server Key'), message).toString('base64')}`)}</success>`,
      );
    }
  }
}

function encode(text: string): string {
  return Buffer.from(text, 'utf8').toString('base64');
}

function decode(text: string): string {
  return Buffer.from(text, 'base64').toString('utf8');
}
