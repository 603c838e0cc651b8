// What the network, TLS and the server say, in words for people. Rule: every fault names the server and one thing to do.

import { Fault, InputFault, codeOf, messageOf } from '../lib/errors.ts';
import { shorten } from '../lib/jid.ts';
import { NS_SASL, NS_STANZA_ERRORS, NS_STREAM_ERRORS } from './namespaces.ts';
import type { Element } from './element.ts';

/** What a connection ended with that this side closed. */
export const CLOSED = new Fault('not-connected', 'the connection was closed on this side');

/** A failure to look up or reach `host`. */
export function faultOfNetwork(error: unknown, host: string, port: number): Fault {
  if (error instanceof Fault) return error;
  const code = codeOf(error);
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN' || code === 'ENODATA') {
    return new Fault('dns', `the name "${shorten(host)}" could not be looked up (${code})`, {
      remedy: 'check the spelling of the server and the network, or name it with --server host:port',
      cause: error,
    });
  }
  const why = code === 'ECONNREFUSED' ? 'refused the connection' : `could not be reached (${code ?? messageOf(error)})`;
  return new Fault('tcp', `${shorten(host)}:${port} ${why}`, {
    remedy: 'check that the server runs and that no firewall is in the way, or name another with --server host:port',
    cause: error,
  });
}

/** A TLS handshake that failed. */
export function faultOfTls(error: unknown, domain: string): Fault {
  if (error instanceof Fault) return error;
  const code = codeOf(error) ?? '';
  const words = TLS_WORDS.find(([codes]) => codes.test(code));
  return new Fault(
    'tls',
    `${shorten(domain)}: ${words?.[1] ?? `no encrypted connection could be made (${code === '' ? messageOf(error) : code})`}`,
    {
      remedy: words?.[2] ?? 'check the server name, or ask its operator',
      cause: error,
    },
  );
}

const TLS_WORDS: readonly (readonly [RegExp, string, string])[] = [
  [
    /SELF_SIGNED|UNABLE_TO_GET_ISSUER|UNABLE_TO_VERIFY/,
    'its certificate is signed by nobody this machine trusts',
    'give its certificate authority with --ca file, if you know it to be right',
  ],
  [
    /ALTNAME_INVALID/,
    'its certificate is for another name',
    'check the spelling of the server; the certificate must name the domain of your JID',
  ],
  [
    /CERT_HAS_EXPIRED|CERT_NOT_YET_VALID/,
    'its certificate is out of date',
    "check this machine's clock, or ask the server's operator",
  ],
];

/** A stream error (RFC 6120 §4.9): the server ends the connection and says why. */
export function faultOfStreamError(error: Element): Fault {
  const { condition, text } = readCondition(error, NS_STREAM_ERRORS);
  const words = `the server ended the connection: ${describe(condition, text)}`;
  if (condition === 'conflict') {
    return new Fault('conflict', 'another program signed in with the same resource, so the server ended this connection', {
      remedy: 'run one agent per home; do not copy a home to another machine',
    });
  }
  if (condition === 'policy-violation' || condition === 'resource-constraint') {
    return new Fault('throttled', words, { remedy: 'wait: it is tried again by itself, more slowly each time' });
  }
  if (condition === 'host-unknown' || condition === 'host-gone') {
    return new Fault('server', words, { remedy: 'check the part of your JID after the "@"' });
  }
  if (condition === 'see-other-host') {
    return new Fault('server', words, {
      remedy: `name the other server with --server ${shorten(error.getChildText('see-other-host') ?? '')}`,
    });
  }
  return new Fault('server', words);
}

/** A refused login (RFC 6120 §6.5). */
export function faultOfSaslFailure(failure: Element, jid: string): Fault {
  const { condition, text } = readCondition(failure, NS_SASL);
  if (condition === 'not-authorized') {
    return new Fault('wrong-password', `the server did not accept the password of ${jid}`, {
      remedy: 'run "git xmpp login" and type it again',
    });
  }
  const words = `the server refused to sign ${jid} in: ${describe(condition, text)}`;
  if (condition === 'temporary-auth-failure')
    return new Fault('throttled', words, { remedy: 'wait: it is tried again by itself' });
  return new Fault('server', words, { remedy: "ask the server's operator what is wrong with the account" });
}

/** Anything else that goes wrong while the stream is read: a refused resource, XML that does not parse, a bad challenge. */
export function faultOfLibrary(error: unknown): Fault {
  if (error instanceof Fault && !(error instanceof InputFault)) return error;
  const condition = typeof error === 'object' && error !== null && 'condition' in error ? String(error.condition) : undefined;
  if (condition === 'conflict') {
    return new Fault('conflict', 'the server says that this resource is already signed in', {
      remedy: 'run one agent per home',
      cause: error,
    });
  }
  if (condition === 'resource-constraint') {
    return new Fault('throttled', 'the server allows no more sessions of this account', {
      remedy: 'sign another client out',
      cause: error,
    });
  }
  const code = error instanceof InputFault ? undefined : codeOf(error);
  if (code !== undefined) return new Fault('tcp', `the connection to the server was lost (${code})`, { cause: error });
  return new Fault('server', `the server sent what cannot be used: ${shorten(messageOf(error))}`, { cause: error });
}

function describe(condition: string, text: string | undefined): string {
  return text === undefined || text === '' ? condition : `${condition} (${text})`;
}

/** The defined condition and the words of any error element. */
export function readCondition(
  error: Element,
  namespace: string = NS_STANZA_ERRORS,
): { condition: string; text: string | undefined } {
  const named = error.getChildElements().filter((child) => child.getNS() === namespace);
  const text = named.find((child) => child.name === 'text')?.getText();
  return {
    condition: shorten(named.find((child) => child.name !== 'text')?.name ?? 'undefined-condition'),
    text: text === undefined ? undefined : shorten(text),
  };
}
