import { describe, expect, it } from 'vitest';
import { Fault } from '../../../src/lib/errors.ts';
import { parseFullJid } from '../../../src/lib/jid.ts';
import { xml } from '../../../src/xmpp/element.ts';
import type { Attributes, Element } from '../../../src/xmpp/element.ts';
import { NS_STANZA_ERRORS } from '../../../src/xmpp/namespaces.ts';
import { Requests } from '../../../src/xmpp/requests.ts';
import { StanzaFault } from '../../../src/xmpp/stanza-fault.ts';
import { VirtualClock, settle } from '../../helpers/virtual-clock.ts';

const OWN = parseFullJid('anna@one.example/git-xmpp-aaaaaaaa');
const PEER = 'ben@two.example/git-xmpp-bbbbbbbb';

function result(attrs: Attributes): Element {
  return xml('iq', { type: 'result', ...attrs }, xml('answer', { xmlns: 'urn:x' }));
}

async function stateOf(answer: Promise<unknown>): Promise<string> {
  let state = 'waiting';
  answer.then(
    () => (state = 'answered'),
    () => (state = 'failed'),
  );
  await settle();
  return state;
}

describe('Requests', () => {
  it('gives the first child of the result', async () => {
    const requests = new Requests(new VirtualClock());
    const { id, answer } = requests.open(PEER, 1000);
    requests.receive(result({ id, from: PEER }), OWN);
    expect((await answer)?.toString()).toBe('<answer xmlns="urn:x"/>');
  });

  it.each([
    ['another sender', PEER, 'mallory@two.example/x'],
    ['another resource of the same account', PEER, 'ben@two.example/other'],
    ['the account for its resource', PEER, 'ben@two.example'],
    ['no sender, for a peer', PEER, undefined],
    ['a peer, for the own account', undefined, PEER],
    ['another own device, for the own account', undefined, 'anna@one.example/other'],
  ])('ignores an answer from %s', async (_what, to, from) => {
    const requests = new Requests(new VirtualClock());
    const { id, answer } = requests.open(to, 1000);
    requests.receive(result({ id, from }), OWN);
    expect(await stateOf(answer)).toBe('waiting');
  });

  it.each([
    ['the peer, written in other case', 'Ben@Two.Example/x', 'ben@two.example/x'],
    ['the own account by no name', undefined, undefined],
    ['the own account by its name', undefined, 'anna@one.example'],
    ['the own server', undefined, 'one.example'],
    ['the own account when it was named', 'anna@one.example', undefined],
  ])('takes an answer from %s', async (_what, to, from) => {
    const requests = new Requests(new VirtualClock());
    const { id, answer } = requests.open(to, 1000);
    requests.receive(result({ id, from }), OWN);
    expect(await stateOf(answer)).toBe('answered');
  });

  it('ignores an answer with another id, and what is no answer', async () => {
    const requests = new Requests(new VirtualClock());
    const { id, answer } = requests.open(PEER, 1000);
    requests.receive(result({ id: `${id}x`, from: PEER }), OWN);
    requests.receive(xml('iq', { type: 'get', id, from: PEER }), OWN);
    requests.receive(xml('message', { type: 'result', id, from: PEER }), OWN);
    expect(await stateOf(answer)).toBe('waiting');
  });

  it('throws an error reply with its condition, type, words and own element', async () => {
    const requests = new Requests(new VirtualClock());
    const { id, answer } = requests.open(PEER, 1000);
    const error = xml(
      'error',
      { type: 'wait' },
      xml('resource-constraint', { xmlns: NS_STANZA_ERRORS }),
      xml('text', { xmlns: NS_STANZA_ERRORS }, 'too\nmuch'),
      xml('busy', { xmlns: 'urn:git-xmpp:pair:1' }),
    );
    requests.receive(xml('iq', { type: 'error', id, from: PEER }, error), OWN);
    const fault = await answer.catch((caught: unknown) => caught);
    expect(fault).toBeInstanceOf(StanzaFault);
    expect(fault).toMatchObject({
      type: 'wait',
      condition: 'resource-constraint',
      code: 'throttled',
      message: 'resource-constraint (too?much)',
    });
    expect(fault).toHaveProperty('application.name', 'busy');
  });

  it('fails at its deadline, and then knows the request no more', async () => {
    const clock = new VirtualClock();
    const requests = new Requests(clock);
    const { answer } = requests.open(PEER, 5000);
    clock.advance(4999);
    expect(await stateOf(answer)).toBe('waiting');
    clock.advance(1);
    await expect(answer).rejects.toMatchObject({ code: 'timeout', message: `${PEER} did not answer within 5 s` });
    expect(clock.timers).toBe(0);
  });

  it('fails everything at once when the connection ends', async () => {
    const clock = new VirtualClock();
    const requests = new Requests(clock);
    const answers = [requests.open(PEER, 5000).answer, requests.open(undefined, 5000).answer];
    requests.failAll(new Fault('not-connected', 'gone'));
    for (const answer of answers) await expect(answer).rejects.toMatchObject({ code: 'not-connected' });
    expect(clock.timers).toBe(0);
  });

  it('draws ids that cannot be guessed, from 72 random bits', () => {
    const requests = new Requests(new VirtualClock());
    const ids = Array.from({ length: 100 }, () => {
      const { id, answer } = requests.open(PEER, 1000);
      answer.catch(() => undefined);
      return id;
    });
    expect(new Set(ids).size).toBe(100);
    for (const id of ids) expect(id).toMatch(/^[A-Za-z0-9_-]{12}$/);
  });
});
