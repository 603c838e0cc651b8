// Two servers that find and trust each other. Rule: a real message and a real IQ cross in both directions, over verified TLS.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startChatClient } from '../helpers/chat-client.ts';
import { startFederation } from '../helpers/federation.ts';
import type { Federation } from '../helpers/federation.ts';

describe('startFederation', () => {
  let servers: Federation;
  beforeAll(async () => {
    servers = await startFederation({ hasStanzaLog: true });
    await servers.north.addAccount('romeo', 'rosaline');
    await servers.south.addAccount('juliet', 'r0meo!');
  });
  afterAll(() => servers.stop());

  it('carries a headline and an IQ with its answer between accounts on two servers', async () => {
    const romeo = await startChatClient(servers.north, { name: 'romeo', password: 'rosaline', resource: 'orchard' });
    const juliet = await startChatClient(servers.south, { name: 'juliet', password: 'r0meo!', resource: 'balcony' });
    romeo.send(`<message to='${juliet.jid}' type='headline'><x xmlns='urn:test'>light</x></message>`);
    await juliet.waitFor(/from='romeo@north\.test\/orchard'[^]*>light</);
    juliet.send(`<iq to='${romeo.jid}' type='get' id='ask'><x xmlns='urn:test'/></iq>`);
    await romeo.waitFor(/id='ask'/);
    romeo.send(`<iq to='${juliet.jid}' type='result' id='ask'><y xmlns='urn:test'/></iq>`);
    await juliet.waitFor(/<y xmlns='urn:test'\/>/);
    await Promise.all([romeo.close(), juliet.close()]);
  });

  it('verifies the certificates and writes down what came from the other server', () => {
    expect(servers.south.output()).toMatch(/Incoming s2s connection north\.test->south\.test complete/);
    expect(servers.south.stanzaLog()).toMatch(/^s2s\tnorth\.test\t<message.*light/m);
  });
});
