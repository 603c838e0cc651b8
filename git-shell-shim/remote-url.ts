// The address in `xmpp::peer/repo`: what git hands a remote helper. Rule: a peer and a repo, nothing more.

import { InputFault } from '../src/lib/errors.ts';
import { shorten } from '../src/lib/jid.ts';
import { parsePetname, parseRepoName, type Petname } from '../src/lib/names.ts';

export interface RemoteUrl {
  readonly peer: Petname;
  readonly repo: string;
}

/** @param text `peer/repo` or `xmpp://peer/repo`, percent-encoded where one likes. @throws InputFault */
export function parseRemoteUrl(text: string): RemoteUrl {
  const [, peer, repo] = /^(?:xmpp:\/\/)?([^/]+)\/([^/]+)$/s.exec(decode(text)) ?? [];
  if (peer === undefined || repo === undefined) {
    throw new InputFault('URL', `"${shorten(text)}" is not of the form xmpp::peer/repo`, {
      remedy: 'see the peers with: git xmpp peers, and what they share with: git xmpp repos',
    });
  }
  return { peer: parsePetname(peer), repo: parseRepoName(repo) };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch (error) {
    throw new InputFault('URL', `"${shorten(text)}" is not valid percent-encoding`, { cause: error });
  }
}
