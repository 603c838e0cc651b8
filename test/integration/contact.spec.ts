// `pair --contact`: two accounts become contacts by pre-approval, for servers that block strangers (RFC 6121 §3.4).

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startChatClient } from '../helpers/chat-client.ts';
import { Device } from '../helpers/device.ts';
import { startProsody } from '../helpers/prosody.ts';
import type { Prosody } from '../helpers/prosody.ts';

let server: Prosody;
let anna: Device;
let ben: Device;

beforeAll(async () => {
  server = await startProsody({ accounts: { anna: 'a-secret', ben: 'b-secret' } });
  anna = await new Device('anna').prepare();
  ben = await new Device('ben').prepare();
  await anna.login(server, 'anna', 'a-secret');
  await ben.login(server, 'ben', 'b-secret');
});

afterAll(async () => {
  await anna.remove();
  await ben.remove();
  await server.stop();
});

describe('git xmpp pair --contact', () => {
  it('makes contacts without a request in anybody’s chat client, and unpair undoes it', async () => {
    const chat = await startChatClient(server, { name: 'ben', password: 'b-secret', resource: 'phone' });
    chat.send('<iq type="get" id="roster"><query xmlns="jabber:iq:roster"/></iq><presence/>');
    await chat.settle();

    const shown = anna.start('git-xmpp', ['pair', '--contact', '--with', 'ben@localhost']);
    const code = (await shown.line(/^git xmpp pair \d/)).split(' ')[3] ?? '';
    const typed = await ben.run('git-xmpp', ['pair', code, '--contact', '--with', 'anna@localhost']);
    expect(typed).toMatchObject({ code: 0 });
    expect(await shown.ended).toMatchObject({ code: 0 });

    await chat.waitFor(/subscription=['"]both['"]/);
    expect(chat.received()).not.toMatch(/<presence[^>]*type=['"]subscribe['"]/);

    await ben.xmpp('unpair', 'anna');
    await chat.waitFor(/subscription=['"]remove['"]/);
    await chat.close();
  });

  it('refuses to guess whose contact is meant', async () => {
    const end = await anna.run('git-xmpp', ['pair', '--contact']);
    expect(end).toMatchObject({ code: 2 });
    expect(end.stderr).toContain('--with');
  });
});
