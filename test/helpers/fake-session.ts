// A connection of ours that is signed in at a server of the spec's own, which may then do whatever no real one does.

import { onTestFinished } from 'vitest';
import { realClock } from '../../src/lib/clock.ts';
import { parseBareJid } from '../../src/lib/jid.ts';
import { silentLog } from '../../src/lib/log.ts';
import { connect } from '../../src/xmpp/connection.ts';
import type { ConnectOptions, Connection } from '../../src/xmpp/connection.ts';
import { makeCertificate } from './certificates.ts';
import type { TestCertificate } from './certificates.ts';
import { startFakeServer } from './fake-xmpp-server.ts';
import type { FakeStream } from './fake-xmpp-server.ts';

/** Where the connection is signed in. */
export const OWN = 'anna@localhost/git-xmpp-aaaaaaaa';

export interface FakeSession {
  readonly connection: Connection;
  /** The server's end. */
  readonly stream: FakeStream;
  /** Codes and words of what ended the connection, so far. */
  readonly faults: readonly string[];
  /** Whether all that was sent before has been read and the connection goes on: it answers a question. */
  readonly isStillThere: () => Promise<boolean>;
}

/** Made once: each takes a process. */
let certificate: TestCertificate | undefined;

/** Ends with the test. */
export async function signInAtFake(options: Partial<ConnectOptions> = {}): Promise<FakeSession> {
  certificate ??= makeCertificate('localhost');
  const server = await startFakeServer(certificate);
  const account = { jid: parseBareJid('anna@localhost'), server: { host: '127.0.0.1', port: server.port, isDirectTls: true }, ca: certificate.cert };
  const connecting = connect({ account, password: 'secret', resource: 'git-xmpp-aaaaaaaa', clock: realClock, log: silentLog, random: () => 0, ...options });
  connecting.catch(() => undefined);
  const stream = await server.accept();
  await stream.signIn(OWN, { password: 'secret' });
  const connection = await connecting;
  onTestFinished(async () => {
    stream.socket.destroy();
    await connection.close();
    await server.stop();
  });
  const faults: string[] = [];
  connection.onClose(({ code, message }) => faults.push(`${code}: ${message}`));
  let asked = 0;
  return {
    connection,
    stream,
    faults,
    async isStillThere() {
      const id = `still-there-${(asked += 1)}`;
      stream.send(`<iq type='get' from='localhost' to='${OWN}' id='${id}'><ping xmlns='urn:xmpp:ping'/></iq>`);
      return stream.take(new RegExp(`<iq [^>]*id="${id}"[^>]*>`)).then(
        ([answer]) => answer.includes('type="result"'),
        () => false,
      );
    },
  };
}
