import { describe, expect, it } from 'vitest';
import { parseRemoteUrl } from '../../../git-shell-shim/remote-url.ts';

describe('parseRemoteUrl', () => {
  it('takes peer/repo with or without xmpp://', () => {
    expect(parseRemoteUrl('laptop/notes')).toEqual({ peer: 'laptop', repo: 'notes' });
    expect(parseRemoteUrl('xmpp://änna-desktop/my%20notes')).toEqual({ peer: 'änna-desktop', repo: 'my notes' });
  });

  it('refuses anything but two names', () => {
    const wrong = [
      '',
      'laptop',
      'laptop/',
      '/notes',
      'laptop/a/b',
      '../etc',
      '-x/notes',
      'laptop/-x',
      'xmpp:///notes',
      'ssh://laptop/notes',
      'a/%zz',
      'a/..',
      'a/b%2Fc',
    ];
    for (const url of wrong) expect(() => parseRemoteUrl(url), url).toThrow();
  });

  it('says how an address looks', () => {
    expect(() => parseRemoteUrl('laptop')).toThrow('"laptop" is not of the form xmpp::peer/repo');
  });
});
