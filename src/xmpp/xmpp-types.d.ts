// What this folder uses of @xmpp/client and @xmpp/debug 0.14.0, which ship no types: read in their sources, kept to what is used.
// Rule: no other file casts anything of theirs; names that begin with "_" are theirs and inner, so the version is pinned.

declare module '@xmpp/client' {
  import type { EventEmitter } from 'node:events';
  import type { Element } from 'ltx';

  interface Parser extends EventEmitter {
    /** What is being built; the stream's own element between two stanzas. */
    cursor: Element | null;
    write(text: string): void;
    onStartElement(name: string, attrs: Readonly<Record<string, string>>): void;
    onText(text: string): void;
    onEndElement(name: string): void;
  }

  interface Transport {
    readonly prototype: { readonly Parser: new () => Parser };
  }

  /** What a connection wants of its socket. */
  interface EntitySocket extends EventEmitter {
    readonly secure: boolean;
    write(text: string, done: (error?: Error | null) => void): void;
    end(): void;
  }

  interface SaslMechanism {
    readonly name: string;
    readonly clientFirst: boolean;
    response(credentials: unknown): Promise<string>;
    challenge(text: string): Promise<void>;
  }

  interface SaslFactory {
    _mechs: readonly { readonly name: string }[];
    create(names: readonly string[]): SaslMechanism | null;
  }

  interface IncomingContext {
    readonly type: string;
    readonly stanza: Element;
    /** The one child of a well-formed IQ get or set. */
    readonly element?: Element;
  }

  /** A truthy value that is no element is an empty result; an `error` element is an error reply. */
  type Middleware = (context: IncomingContext, next: () => Promise<unknown>) => unknown;

  interface StreamManagement extends EventEmitter {
    enabled: boolean;
    readonly outbound_q: unknown[];
    /** Milliseconds; 0 for never. */
    requestAckInterval: number;
    requestAckDebounce: number;
    timeout: number;
  }

  interface Client extends EventEmitter {
    readonly jid: { toString(): string } | null;
    readonly parser: Parser | null;
    readonly socket: EntitySocket | null;
    /** Milliseconds that opening a stream may take. */
    timeout: number;
    Transport: Transport;
    Parser: new () => Parser;
    readonly reconnect: { stop(): void };
    readonly saslFactory: SaslFactory;
    readonly streamManagement: StreamManagement;
    readonly iqCaller: { readonly handlers: Map<string, { reject(error: Error): void }> };
    readonly middleware: { use(middleware: Middleware): void };
    open(options: { domain: string }): Promise<unknown>;
    send(element: Element): Promise<void>;
    write(text: string): Promise<void>;
    _attachSocket(socket: EntitySocket): void;
    _findTransport(service: string): Transport | undefined;
    _status(status: string): void;
    _onData(data: { toString(): string }): void;
    _onElement(element: Element): void;
  }

  interface ClientOptions {
    readonly domain: string;
    readonly username: string;
    readonly password: string;
    readonly resource: string;
  }

  export function client(options: ClientOptions): Client;

  export const xml: {
    (name: string, attrs?: Record<string, unknown>, ...children: readonly unknown[]): Element;
    readonly Parser: new () => Parser;
  };

  export type { Client, EntitySocket, IncomingContext, Middleware, Parser, SaslMechanism };
}

declare module '@xmpp/debug' {
  import type { Element } from 'ltx';

  /** Empties what may hold a password, in place. */
  export function hideSensitive(element: Element): Element;
}
