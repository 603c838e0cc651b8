import { describe, expect, it } from 'vitest';
import { xml } from '../../../src/xmpp/element.ts';
import { faultOfLibrary, faultOfNetwork, faultOfSaslFailure, faultOfStreamError, faultOfTls } from '../../../src/xmpp/faults.ts';
import { NS_SASL, NS_STREAM, NS_STREAM_ERRORS } from '../../../src/xmpp/namespaces.ts';

function systemError(code: string): Error {
  return Object.assign(new Error(`it failed: ${code}`), { code });
}

describe('faultOfNetwork', () => {
  it.each([
    ['ENOTFOUND', 'dns'],
    ['EAI_AGAIN', 'dns'],
    ['ECONNREFUSED', 'tcp'],
    ['EHOSTUNREACH', 'tcp'],
  ])('calls %s a fault of %s, with a remedy', (code, fault) => {
    expect(faultOfNetwork(systemError(code), 'xmpp.example', 5222)).toMatchObject({
      code: fault,
      remedy: expect.stringMatching(/--server/),
    });
  });
});

describe('faultOfTls', () => {
  it.each([
    ['DEPTH_ZERO_SELF_SIGNED_CERT', /nobody this machine trusts/, /--ca/],
    ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', /nobody this machine trusts/, /--ca/],
    ['ERR_TLS_CERT_ALTNAME_INVALID', /for another name/, /spelling/],
    ['CERT_HAS_EXPIRED', /out of date/, /clock/],
    ['ECONNRESET', /ECONNRESET/, /operator/],
  ])('puts %s in words', (code, words, remedy) => {
    const fault = faultOfTls(systemError(code), 'one.example');
    expect(fault.code).toBe('tls');
    expect(fault.message).toMatch(words);
    expect(fault.remedy).toMatch(remedy);
  });
});

describe('faultOfStreamError', () => {
  it.each([
    ['conflict', 'conflict'],
    ['policy-violation', 'throttled'],
    ['resource-constraint', 'throttled'],
    ['host-unknown', 'server'],
    ['system-shutdown', 'server'],
    ['see-other-host', 'server'],
  ])('calls <%s/> a fault of %s', (condition, code) => {
    const error = xml(
      'stream:error',
      { 'xmlns:stream': NS_STREAM },
      xml(condition, { xmlns: NS_STREAM_ERRORS }, 'other.example'),
    );
    expect(faultOfStreamError(error).code).toBe(code);
  });

  it("repeats the server's words, cut and cleaned", () => {
    const text = xml('text', { xmlns: NS_STREAM_ERRORS }, `\u001b[31m${'x'.repeat(500)}`);
    const { message } = faultOfStreamError(xml('stream:error', {}, xml('reset', { xmlns: NS_STREAM_ERRORS }), text));
    expect(message).toMatch(/^the server ended the connection: reset \(\?\[31mx+…\)$/);
    expect(message.length).toBeLessThan(150);
  });
});

describe('faultOfSaslFailure', () => {
  it.each([
    ['not-authorized', 'wrong-password'],
    ['temporary-auth-failure', 'throttled'],
    ['account-disabled', 'server'],
  ])('calls <%s/> a fault of %s', (condition, code) => {
    expect(
      faultOfSaslFailure(xml('failure', { xmlns: NS_SASL }, xml(condition, { xmlns: NS_SASL })), 'anna@one.example').code,
    ).toBe(code);
  });
});

describe('faultOfLibrary', () => {
  it.each([
    [{ condition: 'conflict' }, 'conflict'],
    [{ condition: 'resource-constraint' }, 'throttled'],
    [systemError('ECONNRESET'), 'tcp'],
    [new Error('foo must be closed.'), 'server'],
  ])('puts %o in words', (error, code) => {
    expect(faultOfLibrary(error).code).toBe(code);
  });
});
