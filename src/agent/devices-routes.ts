// The door's routes for devices and grants (docs/PROTOCOL.md, "The door"). Rule: bodies parsed strictly, then one method; nothing is decided here.

import { parseGrant, parseRepoName } from '../lib/names.ts';
import type { Routes } from '../control/server.ts';
import type { Fields } from '../home/fields-format.ts';
import type { Agent } from './agent.ts';
import { DeviceCommands } from './device-commands.ts';
import type { GrantRequest } from './device-commands.ts';
import { json, take } from './routing.ts';

const MAX_GLOBS = 64;

/** @param stop ends the agent after the answer is out */
export function makeDevicesRoutes(agent: Agent, stop: () => void): Routes {
  const commands = new DeviceCommands(agent.parts);
  return {
    'GET /peers': json(() => Promise.resolve(commands.peers())),
    'POST /peers/unpair': json(({ body }) => commands.unpair(take(body, parsePeerName))),
    'POST /peers/introduce': json(({ body }) => commands.introduce(take(body, parsePeerName))),
    'POST /grant': json(({ body }) => commands.grant(take(body, parseGrantRequest))),
    'POST /identity/renew': json(async () => {
      const answer = await commands.renew();
      stop();
      return answer;
    }),
  };
}

function parsePeerName(fields: Fields): string {
  return fields.text('peer', String);
}

function parseGrantRequest(fields: Fields): GrantRequest {
  return {
    peer: fields.text('peer', String),
    repo: fields.text('repo', parseRepoName),
    grant: fields.text('grant', parseGrant),
    branches: fields.parseOptional('branches', (name) => fields.texts(name, MAX_GLOBS, String)).branches ?? [],
  };
}
