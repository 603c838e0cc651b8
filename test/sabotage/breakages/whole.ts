// What real agents, a real server and real git notice: a few promises of each layer, broken once more and looked for from outside. Rule: as in index.ts.

import { inFile } from '../breakage.ts';

export const WHOLE = [
  ...inFile('src/git/fsck-format.ts', ['what comes from a peer is checked by git', "[`${section}.fsckObjects`]: 'true'", "[`${section}.fsckObjects`]: 'false'", 'integration/attackers-inside']),
  ...inFile('src/cli/clone.ts', ['a small clone is checked as a large one is', "[...checks, 'clone',", "[...checks.slice(0, 0), 'clone',", 'integration/attackers-serving']),
  ...inFile('src/pipe/replay.ts', ['not a byte is left out after a cut', 'this.#sent = offset;\n    return isNew;', 'this.#sent = offset + 1;\n    return isNew;', 'integration/survival']),
  ...inFile('src/git/check-move.ts', ['a file that somebody changed is not written over', 'if (isSecond) return', 'if (isSecond) return undefined; else if (false) return', 'integration/merge']),
  ...inFile('src/git/recover.ts', ['a move that a crash cut short is brought to an end', 'if (journal === undefined) return undefined;', 'if (journal !== undefined || true) return undefined;', 'integration/crashed-move']),
  ...inFile('src/agent/maps.ts', ['who signs another map than it pushes is refused', '&& this.#verifies(device, { signed, refs, spki })) {', ') {', 'integration/attackers-inside']),
  ...inFile('src/control/socket-file.ts', ['no other user comes in by the socket', 'if (!isPipe(path)) await chmod(path, 0o600);', 'if (!isPipe(path)) await chmod(path, 0o666);', 'integration/attackers-local']),
  ...inFile('src/carriers/in-band.ts', ['nobody writes into the stream of others', 'keyOf(parseSid(iq.payload), parseFullJid(iq.from))', 'keyOf(parseSid(iq.payload), [...this.#sessions.values()][0]?.peer ?? parseFullJid(iq.from))', 'integration/attackers-outside']),
];
