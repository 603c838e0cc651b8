// The form of the file of shared repositories, and what a peer may do by default.

import { describe, expect, it } from 'vitest';
import { formatRepos, grantOf, parseRepos } from '../../../src/home/repos-format.ts';
import { parseBareJid } from '../../../src/lib/jid.ts';
import { makePeer, makeSharedRepo } from '../../helpers/home-values.ts';

const BEN = parseBareJid('ben@example.net');
const OWN = makePeer('laptop');
const OTHER = makePeer('desktop', { kind: 'other', jid: BEN });

describe('grantOf', () => {
  it('lets own devices write and others nothing, where nobody is named', () => {
    const repo = makeSharedRepo('notes');
    expect([grantOf(repo, OWN), grantOf(repo, OTHER)]).toEqual(['write', 'none']);
  });

  it('lets others in the audience offer, and own devices write still', () => {
    const repo = makeSharedRepo('notes', { audience: [BEN] });
    expect([grantOf(repo, OWN), grantOf(repo, OTHER)]).toEqual(['write', 'offer']);
    expect(grantOf(repo, { ...OTHER, jid: parseBareJid('eve@example.net') })).toBe('none');
  });

  it('gives the audience the default that it was shared with', () => {
    const toBen = makeSharedRepo('notes', { audience: [BEN], defaultGrant: 'read' });
    expect([grantOf(toBen, OWN), grantOf(toBen, OTHER)]).toEqual(['write', 'read']);
    const toOwn = makeSharedRepo('notes', { defaultGrant: 'read' });
    expect([grantOf(toOwn, OWN), grantOf(toOwn, OTHER)]).toEqual(['read', 'none']);
  });

  it('lets a grant to the account win over the default, and one to the device over both', () => {
    const toAccount = makeSharedRepo('notes', { audience: [BEN], grants: { [BEN]: 'none', [OWN.jid]: 'read' } });
    expect([grantOf(toAccount, OWN), grantOf(toAccount, OTHER)]).toEqual(['read', 'none']);
    const toDevice = { ...toAccount, grants: { ...toAccount.grants, [OTHER.device]: 'write', [OWN.device]: 'none' } as const };
    expect([grantOf(toDevice, OWN), grantOf(toDevice, OTHER)]).toEqual(['none', 'write']);
  });
});

describe('parseRepos', () => {
  it.each([
    ['id', 'x', 'id'],
    ['name', 'a/b', 'name'],
    ['path', 'notes', 'path'],
    ['gitDir', 'a\0b', 'gitDir'],
    ['audience', 'all', 'audience'],
    ['audience', ['ben'], 'audience[0]'],
    ['defaultGrant', 'admin', 'defaultGrant'],
    ['grants', { ben: 'read' }, 'grants.ben'],
    ['grants', { 'ben@example.net': 'all' }, 'grants.ben@example.net'],
    ['grantBranches', ['main'], 'grantBranches'],
    ['grantBranches', { ben: ['main'] }, 'grantBranches'],
    ['grantBranches', { 'ben@example.net': ['a..b'] }, 'grantBranches.ben@example.net[0]'],
    ['grantBranches', { 'ben@example.net': 'main' }, 'grantBranches.ben@example.net'],
    ['isFolder', 1, 'isFolder'],
    ['branches', ['a..b'], 'branches[0]'],
    ['branches', ['-x', 'y?'], 'branches[1]'],
    ['colour', 'red', 'colour'],
  ])('names the repository and its wrong %s', (field, value, named) => {
    const file = { version: 1, repos: [makeSharedRepo('code'), { ...makeSharedRepo('notes'), [field]: value }] };
    expect(() => parseRepos(file)).toThrow(`file.repos[1].${named}: `);
  });

  it('refuses an id, a name in another case, or a path that stands twice', () => {
    const [code, notes] = [makeSharedRepo('code'), makeSharedRepo('notes')];
    expect(() => parseRepos(formatRepos([code, { ...notes, id: code.id }]))).toThrow('repos.id');
    expect(() => parseRepos(formatRepos([code, { ...notes, name: 'CODE' }]))).toThrow('repos.name');
    expect(() => parseRepos(formatRepos([code, { ...notes, path: code.path }]))).toThrow('repos.path');
  });
});
