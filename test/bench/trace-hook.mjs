// Loaded into an agent by NODE_OPTIONS when the benchmark traces it: notes when git starts and ends, when a file is made durable, when
// the watch fires and when bytes pass to and from the server. Rule: it looks on from outside; the agent itself has no code for it.

import childProcess from 'node:child_process';
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { Readable } from 'node:stream';
import tls from 'node:tls';
import net from 'node:net';

const target = process.env.GIT_XMPP_BENCH_TRACE;
const isAgent = process.argv[1]?.endsWith('agent.mjs') === true;

if (target !== undefined && isAgent) {
  const note = (what) => fs.appendFileSync(target, `${(performance.timeOrigin + performance.now()).toFixed(2)} ${what}\n`);

  const { spawn } = childProcess;
  childProcess.spawn = (file, args, options) => {
    const words = args.filter((arg, index) => arg !== '-c' && args[index - 1] !== '-c' && arg !== '-C' && args[index - 1] !== '-C');
    const name = `${file} ${words.filter((word) => !/^--?(format|m$)/.test(word)).slice(0, 3).join(' ')}`.slice(0, 60);
    note(`start ${name}`);
    const child = spawn(file, args, options);
    child.once('exit', () => note(`end ${name}`));
    return child;
  };

  const { watch } = fs;
  fs.watch = (dir, options, listener) =>
    watch(dir, options, (event, name) => {
      note(`watch ${dir.split('/').slice(-2).join('/')}/${name}`);
      listener(event, name);
    });

  const handle = await fs.promises.open('/dev/null', 'r');
  const { sync } = Object.getPrototypeOf(handle);
  Object.getPrototypeOf(handle).sync = async function timed() {
    const before = performance.now();
    await sync.call(this);
    note(`fsync took ${(performance.now() - before).toFixed(2)}`);
  };
  await handle.close();

  const { write } = net.Socket.prototype;
  net.Socket.prototype.write = function noted(chunk, ...rest) {
    if (this instanceof tls.TLSSocket) note(`sent ${describe(chunk)}`);
    return write.call(this, chunk, ...rest);
  };
  const { push } = Readable.prototype;
  Readable.prototype.push = function noted(chunk, ...rest) {
    if (this instanceof tls.TLSSocket && chunk !== null) note(`got ${describe(chunk)}`);
    return push.call(this, chunk, ...rest);
  };
  syncBuiltinESMExports();
}

/** The stanzas of a write or a read, by kind and size. */
function describe(chunk) {
  const text = chunk.toString();
  const stanzas = text.split(/(?=<iq |<message |<r |<a )/).filter(Boolean);
  return stanzas.map((stanza) => `${/<(data|open|close|hello)/.exec(stanza)?.[1] ?? /type=.(\w+)/.exec(stanza)?.[1] ?? stanza.slice(0, 3)}:${stanza.length}`).join(' ');
}
