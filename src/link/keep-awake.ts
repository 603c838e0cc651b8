// What a served link owes to whoever asks on it. Rule: while a request is served, silence is looked into; an idle link says nothing.

import type { ServerHttp2Session } from 'node:http2';
import type { PipeStream } from './pipe-stream.ts';

/** While a request is served, the pipe looks into silence: whoever asked may wait for what this side does not owe yet. */
export function keepAwake(session: ServerHttp2Session, pipe: PipeStream): void {
  let open = 0;
  session.on('stream', (stream) => {
    open += 1;
    pipe.setBusy(true);
    stream.once('close', () => {
      open -= 1;
      if (open === 0 && !pipe.destroyed) pipe.setBusy(false);
    });
  });
}
