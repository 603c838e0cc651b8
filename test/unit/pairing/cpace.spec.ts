// Vectors of draft-irtf-cfrg-cpace, "CPACE-RISTR255-SHA512", and what must be refused.

import { describe, expect, it } from 'vitest';
import { ristretto255 } from '@noble/curves/ed25519.js';
import { utf8 } from '../../../src/lib/bytes.ts';
import { InputFault } from '../../../src/lib/errors.ts';
import { agreeOnPoint, beginCpace, generatorOf, lengthValued, sessionKeyOf } from '../../../src/pairing/cpace.ts';

const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'hex'));
const toHex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

const VECTOR = {
  inputs: {
    secret: utf8('Password'),
    channel: hex('0b415f696e69746961746f720b425f726573706f6e646572'),
    session: hex('7e4b4791d6a8ef019b936c79fb7f2c57'),
  },
  generator: '222b6b195fe84b1652badb6f6a3ae3d24341e7306967f0b8115b40d5698c7e56',
  ya: hex('da3d23700a9e5699258aef94dc060dfda5ebb61f02a5ea77fad53f4ff0976d08'),
  yb: hex('d2316b454718c35362d83d69df6320f38578ed5984651435e2949762d900b80d'),
  shareA: 'd6bac480f2c386c394efc7c47adb9925dcd2630b64f240c50f8d0eec482b9157',
  shareB: '3ea7e0b19560d7c0b0f5734f63b955286dfa8232b5ebe63324e2d9e7433f7258',
  point: '80b69a8a76457ab6a4d7f887a4bf6b55a2f80ac19c333f917a05fc9887c8b40f',
  isk:
    'b69effbf61b51d56401c0f65601abe428de8206feaaf0e32198896dcae7b35cd' +
    '2b38950a39dfd5d4a79164614c2984f7daa460b588c1e80c3fa2068af7900447',
};

describe('generatorOf', () => {
  it('gives the generator of the draft', () => {
    expect(toHex(generatorOf(VECTOR.inputs).toBytes())).toBe(VECTOR.generator);
  });

  it('depends on the secret, the channel and the session each', () => {
    const { inputs } = VECTOR;
    const all = [
      inputs,
      { ...inputs, secret: utf8('Passwore') },
      { ...inputs, channel: utf8('x') },
      { ...inputs, session: utf8('x') },
    ].map((each) => toHex(generatorOf(each).toBytes()));
    expect(new Set(all).size).toBe(4);
  });

  it('takes a secret longer than a block of the hash', () => {
    expect(() => generatorOf({ ...VECTOR.inputs, secret: new Uint8Array(300) })).not.toThrow();
  });
});

describe('beginCpace', () => {
  it('makes the shares of the draft', () => {
    expect(toHex(beginCpace(VECTOR.inputs, VECTOR.ya).share)).toBe(VECTOR.shareA);
    expect(toHex(beginCpace(VECTOR.inputs, VECTOR.yb).share)).toBe(VECTOR.shareB);
  });

  it('keeps the scalar below 2^252 whatever the random bytes are', () => {
    expect(beginCpace(VECTOR.inputs, new Uint8Array(32).fill(255)).scalar).toBe(2n ** 252n - 1n);
  });

  it('refuses random bytes of another length, and those that give zero', () => {
    expect(() => beginCpace(VECTOR.inputs, new Uint8Array(31).fill(1))).toThrow(/32 bytes/);
    expect(() => beginCpace(VECTOR.inputs, new Uint8Array(32))).toThrow(/all zero/);
    const onlyHighBits = new Uint8Array(32);
    onlyHighBits[31] = 0xf0;
    expect(() => beginCpace(VECTOR.inputs, onlyHighBits)).toThrow(/all zero/);
  });
});

describe('agreeOnPoint', () => {
  const half = beginCpace(VECTOR.inputs, VECTOR.ya);

  it('gives the point of the draft on both sides', () => {
    expect(toHex(agreeOnPoint(half, hex(VECTOR.shareB)))).toBe(VECTOR.point);
    expect(toHex(agreeOnPoint(beginCpace(VECTOR.inputs, VECTOR.yb), hex(VECTOR.shareA)))).toBe(VECTOR.point);
  });

  it('refuses the identity', () => {
    expect(() => agreeOnPoint(half, new Uint8Array(32))).toThrow(InputFault);
    expect(() => agreeOnPoint(half, new Uint8Array(32))).toThrow(/identity/);
  });

  it('refuses its own share', () => {
    expect(() => agreeOnPoint(half, half.share)).toThrow(/sent from here/);
  });

  it('refuses a share of another length', () => {
    expect(() => agreeOnPoint(half, hex(`${VECTOR.shareB}00`))).toThrow(/32 bytes/);
    expect(() => agreeOnPoint(half, new Uint8Array(0))).toThrow(/32 bytes/);
  });

  // RFC 9496 appendix A.3: non-canonical, negative, non-square, and others.
  it.each([
    '00ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff',
    'ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
    '0100000000000000000000000000000000000000000000000000000000000000',
    '01ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
    'ed57ffd8c914fb201471d1c3d245ce3c746fcbe63a3679d51b6a516ebebe0e20',
    'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  ])('refuses the bad encoding %s', (encoding) => {
    expect(() => agreeOnPoint(half, hex(encoding))).toThrow(/no point/);
  });

  it('takes any other point of the group', () => {
    expect(agreeOnPoint(half, ristretto255.Point.BASE.toBytes())).toHaveLength(32);
  });
});

describe('sessionKeyOf', () => {
  const transcript = {
    initiator: { share: hex(VECTOR.shareA), data: utf8('ADa') },
    responder: { share: hex(VECTOR.shareB), data: utf8('ADb') },
  };

  it('gives the session key of the draft', () => {
    expect(toHex(sessionKeyOf(VECTOR.inputs.session, hex(VECTOR.point), transcript))).toBe(VECTOR.isk);
  });

  it('tells the roles apart', () => {
    const turned = { initiator: transcript.responder, responder: transcript.initiator };
    expect(toHex(sessionKeyOf(VECTOR.inputs.session, hex(VECTOR.point), turned))).not.toBe(VECTOR.isk);
  });
});

describe('lengthValued', () => {
  it('writes lengths in LEB128', () => {
    expect(toHex(lengthValued([utf8('a'), new Uint8Array(0)]))).toBe('016100');
    expect(toHex(lengthValued([new Uint8Array(300)])).slice(0, 4)).toBe('ac02');
    expect(toHex(lengthValued([new Uint8Array(128)])).slice(0, 4)).toBe('8001');
  });
});
