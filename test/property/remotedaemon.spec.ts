// remotedaemon's protocol against any input: formats that read back what they write, and sessions whose lines come in pairs.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatConsumed, formatEmitted, formatUri, LineReader, MAX_LINE_BYTES, parseConsumed, parseEmitted } from '../../src/control/remotedaemon-format.ts';
import { RemoteDaemonMachine } from '../../src/control/remotedaemon-machine.ts';
import type { DaemonFact } from '../../src/control/remotedaemon-machine.ts';

const uri = fc.string({ unit: 'grapheme', minLength: 1 }).map((text) => formatUri(`file:///${text}`));
const ref = fc.stringMatching(/^refs\/(heads|tags)\/[a-z0-9-]{1,10}$/);
const consumed = fc.oneof(
  fc.constantFrom('PAUSE', 'LOSTNET', 'RESUME', 'RELOAD', 'STOP').map((type) => ({ type }) as const),
  fc.array(ref, { minLength: 1, maxLength: 20 }).map((refs) => ({ type: 'CHANGED', refs }) as const),
);

describe('the lines', () => {
  it('read back what was written', () => {
    fc.assert(fc.property(consumed, (message) => {
      expect(parseConsumed(formatConsumed(message))).toEqual(message);
    }));
    const emitted = fc.oneof(
      fc.record({ type: fc.constantFrom('CONNECTED', 'DISCONNECTED', 'SYNCING'), remote: uri }),
      fc.record({ type: fc.constant('DONESYNCING'), remote: uri, isGood: fc.boolean() }),
      fc.record({ type: fc.constant('WARNING'), remote: uri, words: fc.stringMatching(/^[ -~]{0,100}$/) }),
    );
    fc.assert(fc.property(emitted, (message) => {
      expect(parseEmitted(formatEmitted(message))).toEqual(message);
    }));
  });

  it('are never anything but a message or a fault', () => {
    const parse = (line: string): unknown => {
      try {
        return formatConsumed(parseConsumed(line)) === line;
      } catch (error) {
        return error instanceof Error && error.name === 'InputFault';
      }
    };
    fc.assert(fc.property(fc.oneof(fc.string({ unit: 'binary' }), consumed.map(formatConsumed)), (line) => {
      expect(parse(line)).toBe(true);
    }));
  });

  it('of URIs hold no space and nothing but ASCII, and an encoded one stays as it is', () => {
    fc.assert(fc.property(fc.string({ unit: 'grapheme' }), (text) => {
      const once = formatUri(`https://example.org/${text}`);
      expect(once).toMatch(/^[!-~]+$/);
      expect(formatUri(once)).toBe(once);
    }));
  });

  it('are cut the same, in whatever pieces they come, and bounded', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), fc.array(fc.nat(300)), fc.nat(2), (bytes, cuts, long) => {
      const all = Buffer.concat([bytes, Buffer.alloc(long * MAX_LINE_BYTES, 0x61), bytes]);
      const whole = new LineReader();
      const expected = [...whole.receive(all), ...whole.end()];
      const reader = new LineReader();
      const lines: (string | undefined)[] = [];
      let from = 0;
      for (const cut of [...cuts].sort((a, b) => a - b)) {
        lines.push(...reader.receive(all.subarray(from, Math.min(cut, all.length))));
        from = Math.max(from, Math.min(cut, all.length));
      }
      lines.push(...reader.receive(all.subarray(from)), ...reader.end());
      expect(lines).toEqual(expected);
    }));
  });
});

describe('a session', () => {
  const state = fc.record({ name: fc.constantFrom('a', 'b'), uri: fc.constantFrom('x:a', 'x:b', 'x:c'), isConnected: fc.boolean(), isSyncing: fc.boolean() });
  const fact: fc.Arbitrary<DaemonFact> = fc.oneof(
    fc.oneof(consumed.map(formatConsumed), fc.string(), fc.constant(undefined)).map((line) => ({ type: 'line', line }) as const),
    fc.uniqueArray(state, { selector: ({ name }) => name }).map((remotes) => ({ type: 'told', told: { type: 'remotes', session: 's', self: 'x:self', gitDir: '/', remotes } }) as const),
    fc.constantFrom('a', 'b').map((remote) => ({ type: 'told', told: { type: 'syncing', remote } }) as const),
    fc.record({ remote: fc.constantFrom('a', 'b'), isGood: fc.boolean() }).map((of) => ({ type: 'told', told: { type: 'done-syncing', ...of } }) as const),
    fc.constant({ type: 'lost', words: 'gone' } as const),
  );

  it('says what belongs together in pairs for each remote, whatever comes, and nothing after its end', () => {
    fc.assert(fc.property(fc.array(fact, { maxLength: 40 }), (facts) => {
      const machine = new RemoteDaemonMachine('x:self');
      const out = [...facts, { type: 'eof' } as const].flatMap((each) => machine.receive(each));
      const end = out.findIndex(({ type }) => type === 'end');
      expect(end).toBe(out.length - 1);
      const [connected, syncing] = [new Map<string, boolean>(), new Map<string, boolean>()];
      for (const intention of out) {
        if (intention.type !== 'say') continue;
        const message = parseEmitted(intention.line);
        const [pairs, isBeginning] = message.type.endsWith('CONNECTED') ? [connected, message.type === 'CONNECTED'] : [syncing, message.type === 'SYNCING'];
        if (message.type === 'WARNING') continue;
        expect(pairs.get(message.remote) ?? false).toBe(!isBeginning);
        pairs.set(message.remote, isBeginning);
      }
      expect([...syncing.values()].includes(true)).toBe(false);
    }));
  });
});
