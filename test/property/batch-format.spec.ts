import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { batchAnswers } from '../../src/git/batch-format.ts';
import { Fault } from '../../src/lib/errors.ts';
import { parseOid } from '../../src/lib/names.ts';

const oid = fc.stringMatching(/^[0-9a-f]{40}$/).map(parseOid);
const object = fc.record({ oid, type: fc.constantFrom('commit', 'tree', 'blob', 'tag'), content: fc.uint8Array({ maxLength: 60 }) });

describe('batchAnswers', () => {
  it('gives back what was written, wherever the bytes are cut', () => {
    fc.assert(
      fc.property(fc.array(object, { minLength: 1, maxLength: 6 }), fc.integer({ min: 1, max: 30 }), (objects, size) => {
        const wire = Buffer.concat(
          objects.flatMap((each) => [Buffer.from(`${each.oid} ${each.type} ${each.content.length}\n`), each.content, Buffer.from('\n')]),
        );
        const parse = batchAnswers({ command: 'contents', oids: objects.map((each) => each.oid) });
        for (let at = 0; at + size < wire.length; at += size) expect(parse(wire.subarray(at, at + size))).toBeUndefined();
        const last = wire.subarray(Math.floor((wire.length - 1) / size) * size);
        expect(parse(last)).toEqual(objects.map(({ type, content }) => ({ type, size: content.length, content: Buffer.from(content) })));
      }),
    );
  });

  it('answers any bytes with answers, patience or a Fault', () => {
    const part = fc.oneof(fc.uint8Array({ maxLength: 40 }), fc.constantFrom('a'.repeat(40), ' blob 3\n', ' missing\n', 'abc\n').map((text) => Buffer.from(text)));
    fc.assert(
      fc.property(fc.array(part, { maxLength: 8 }), fc.constantFrom('contents' as const, 'info' as const), (parts, command) => {
        const named = parseOid('a'.repeat(40));
        const parse = batchAnswers({ command, oids: [named, named] });
        try {
          for (const bytes of parts) {
            const found = parse(bytes);
            if (found === undefined) continue;
            expect(found).toHaveLength(2);
            return;
          }
        } catch (error) {
          expect(error).toBeInstanceOf(Fault);
        }
      }),
      { numRuns: 500 },
    );
  });
});
