// What tests need of an XMPP server, whichever it is.

/** A server that runs for a test alone. */
export interface XmppServer {
  readonly domain: string;
  /** The address it listens on. */
  readonly host: string;
  /** STARTTLS. */
  readonly port: number;
  /** The CA that signed its certificate. */
  readonly caFile: string;
  /** Stops it and starts it on the same ports with the same accounts. */
  restart(): Promise<void>;
  stop(): Promise<void>;
  /** What it wrote last. */
  output(): string;
}
