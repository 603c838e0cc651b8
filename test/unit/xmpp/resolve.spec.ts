import { Resolver } from 'node:dns/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { resolveServer } from '../../../src/xmpp/resolve.ts';
import { srv, startNameServer } from '../../helpers/name-server.ts';
import type { NameServer } from '../../helpers/name-server.ts';

let names: NameServer | undefined;

async function resolverFor(...records: Parameters<typeof startNameServer>[0]): Promise<Resolver> {
  names = await startNameServer(records);
  const resolver = new Resolver({ timeout: 1000, tries: 1 });
  resolver.setServers([names.address]);
  return resolver;
}

function weighted(name: string, target: string, priority: number, weight: number): Parameters<typeof startNameServer>[0][number] {
  return { type: 'SRV', name, ttl: 60, data: { priority, weight, port: 5222, target } };
}

afterEach(async () => {
  await names?.stop();
  names = undefined;
});

describe('resolveServer', () => {
  it('asks for direct TLS and for STARTTLS, and takes both as one list', async () => {
    const resolver = await resolverFor(
      srv('_xmpps-client._tcp.example.org', 5223, 'direct.example.org'),
      weighted('_xmpp-client._tcp.example.org', 'first.example.org', 1, 0),
    );
    expect(await resolveServer('example.org', { resolver })).toEqual([
      { host: 'first.example.org', port: 5222, isDirectTls: false },
      { host: 'direct.example.org', port: 5223, isDirectTls: true },
    ]);
    expect(names?.asked).toEqual(
      expect.arrayContaining(['SRV _xmpps-client._tcp.example.org', 'SRV _xmpp-client._tcp.example.org']),
    );
  });

  it('draws among equal priorities by weight', async () => {
    const name = '_xmpp-client._tcp.example.org';
    const resolver = await resolverFor(weighted(name, 'light.example.org', 5, 10), weighted(name, 'heavy.example.org', 5, 90));
    const first = async (random: number): Promise<string | undefined> =>
      (await resolveServer('example.org', { resolver, random: () => random }))[0]?.host;
    expect(await first(0.05)).toBe('light.example.org');
    expect(await first(0.15)).toBe('heavy.example.org');
    expect(await first(0.999)).toBe('heavy.example.org');
  });

  it('falls back to the domain itself on port 5222 when there is no record', async () => {
    const resolver = await resolverFor();
    expect(await resolveServer('example.org', { resolver })).toEqual([{ host: 'example.org', port: 5222, isDirectTls: false }]);
  });

  it('falls back to the domain itself when no name server answers', async () => {
    const resolver = await resolverFor();
    await names?.stop();
    names = undefined;
    expect(await resolveServer('localhost', { resolver })).toEqual([{ host: 'localhost', port: 5222, isDirectTls: false }]);
  });

  it('says so when the domain has decided to have no XMPP', async () => {
    const resolver = await resolverFor(weighted('_xmpp-client._tcp.example.org', '.', 0, 0));
    await expect(resolveServer('example.org', { resolver })).rejects.toMatchObject({ code: 'dns' });
  });

  it('asks for the ASCII form of an international name', async () => {
    const resolver = await resolverFor();
    expect(await resolveServer('bücher.example', { resolver })).toEqual([
      { host: 'xn--bcher-kva.example', port: 5222, isDirectTls: false },
    ]);
    expect(names?.asked).toContain('SRV _xmpp-client._tcp.xn--bcher-kva.example');
  });

  it('asks nobody when the server was named', async () => {
    const resolver = await resolverFor();
    const override = { host: '127.0.0.1', port: 15222, isDirectTls: false };
    expect(await resolveServer('example.org', { resolver, override })).toEqual([override]);
    expect(names?.asked).toEqual([]);
  });

  it('tries at most eight hosts', async () => {
    const name = '_xmpp-client._tcp.example.org';
    const resolver = await resolverFor(
      ...Array.from({ length: 12 }, (_one, index) => weighted(name, `h${index}.example.org`, index, 0)),
    );
    expect(await resolveServer('example.org', { resolver })).toHaveLength(8);
  });
});
