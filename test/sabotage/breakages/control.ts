// What the agent's door promises: its owner alone, within bounds, and an answer to everything. Rule: as in index.ts.

import { inFile } from '../breakage.ts';

export const CONTROL = [
  ...inFile(
    'src/control/socket-file.ts',
    ['the door is open to its owner alone', 'if (!isPipe(path)) await chmod(path, 0o600);', 'if (!isPipe(path)) await chmod(path, 0o666);', 'unit/control/socket-file', 'unit/control/server'],
    ['a door that is answered is not taken over', 'if (await isAnswered(path)) throw answeredFault(path);', '', 'unit/control/socket-file', 'unit/control/server'],
    ['what is no socket is not removed', "if (!stat.isSocket()) throw", 'if (false) throw', 'unit/control/socket-file'],
  ),
  ...inFile(
    'src/control/server.ts',
    ['a caller that asks nothing is let go', 'headersTimeout: patience,\n      requestTimeout: patience,', '', 'unit/control/server'],
    ['callers at a time are bounded', 'this.#server.maxConnections = MAX_CALLERS;', '', 'unit/control/server'],
    ['headers have their limit', 'maxHeaderSize: 32 * 1024,', 'maxHeaderSize: 1024 * 1024,', 'unit/control/server'],
    ['a caller that goes away ends what it asked for', 'if (!isAnswered) life.abort();', '', 'unit/control/server'],
    ['the door closes within a second', 'for (const socket of this.#upgraded) socket.destroy();', '', 'unit/control/server'],
    ['whatever a handler throws is answered', 'answerFault(response, this.#report(incoming, error));', '', 'unit/control/server'],
  ),
  ...inFile(
    'src/control/stream-format.ts',
    ['a frame that is too long is refused', 'if (length > MAX_PAYLOAD) throw', 'if (false) throw', 'unit/control/stream-format', 'property/stream-format'],
  ),
  ...inFile('src/control/lines-format.ts', ['a line has its limit', 'if (this.#queue.length + bytes.length > MAX_LINE) throw', 'if (false) throw', 'unit/control/lines-format', 'property/lines-format']),
  ...inFile(
    'src/control/gated-socket.ts',
    ['not a byte of a stream passes before its head', 'else this.#waiting = send;', 'else send();', 'unit/control/gated-socket'],
    ['a caller that does not read makes the stream wait', 'if (!this.push(bytes)) socket.pause();', 'this.push(bytes);', 'unit/control/gated-socket'],
    ['a caller that went away ends the stream', 'if (!this.#hasEnded) this.destroy();', '', 'unit/control/gated-socket'],
  ),
  ...inFile(
    'src/control/answer.ts',
    ['a caller that reads slowly makes the answer wait', 'if (!response.write(form.encode(value))) await untilRead(response, signal);', 'response.write(form.encode(value));', 'unit/control/answer'],
    ['a caller that does not read is let go', 'response.destroy());\n  await', 'undefined);\n  await', 'unit/control/answer'],
  ),
  ...inFile(
    'src/control/daemon-pipes.ts',
    ['the pipes of a program are 0600', "['-m', '600', control, events]", "['-m', '666', control, events]", 'unit/control/daemon-pipes'],
    ['the folder of the pipes is 0700', 'await chmod(folder, 0o700);', 'await chmod(folder, 0o755);', 'unit/control/daemon-pipes'],
    ['what is no pipe stays', 'if (!(await lstat(path)).isFIFO()) throw', 'if (false) throw', 'unit/control/daemon-pipes'],
  ),
  ...inFile('src/control/fifo-writer.ts', ['a reader that does not read on is let go', 'if (this.#waiting.length > MAX_WAITING_BYTES) this.#close();\n    else if', 'if', 'unit/control/daemon-pipes']),
  ...inFile(
    'src/control/remotedaemon-format.ts',
    ['a word that is no ref is refused', 'if (wrong !== undefined) throw', 'if (false) throw', 'unit/control/remotedaemon-format'],
    ['a password of a URL is told to no program', "'$1@'", "'$&'", 'unit/control/remotedaemon-format'],
  ),
  ...inFile(
    'src/control/request.ts',
    ['only a caller that names the home of this agent is heard', 'if (home !== options.home) throw', 'if (false) throw', 'unit/control/server'],
    ['a question has its limit', 'if (length > MAX_BODY_BYTES) {', 'if (false) {', 'unit/control/server'],
  ),
  ...inFile('src/control/client.ts', ['a socket path that Node would cut is refused', 'checkSocketPath(socketPath);', '', 'unit/control/client']),
  ...inFile('src/control/asked.ts', ['an answer has its limit', 'if (length > MAX_ANSWER_BYTES) throw', 'if (false) throw', 'unit/control/client', 'unit/control/gather']),
];
