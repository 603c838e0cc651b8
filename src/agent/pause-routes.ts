// The door's routes for pauses (docs/API.md). Rule: a duration and a repository are parsed before anything changes.

import { parseDuration } from '../lib/duration-format.ts';
import type { Routes } from '../control/server.ts';
import type { Agent } from './agent.ts';
import type { PauseAnswer } from './answers.ts';
import { PAUSE_BOUNDS } from './pauses-format.ts';
import { json, parsePath, take } from './routing.ts';

export function makePauseRoutes(agent: Agent): Routes {
  const { pauses } = agent.parts;
  return {
    'POST /pause': json(async ({ body }): Promise<PauseAnswer> => {
      const { path, duration } = take(body, (fields) => ({
        ...fields.parseOptional('path', (name) => fields.text(name, parsePath)),
        ...fields.parseOptional('duration', (name) => fields.text(name, String)),
      }));
      const ms = duration === undefined ? undefined : parseDuration('duration', duration, PAUSE_BOUNDS);
      const repo = path === undefined ? undefined : await agent.shared(path);
      return { ...named(repo), pause: await pauses.pause(repo, ms), hasChanged: true };
    }),
    'POST /resume': json(async ({ body }): Promise<PauseAnswer> => {
      const { path } = take(body, (fields) => fields.parseOptional('path', (name) => fields.text(name, parsePath)));
      const repo = path === undefined ? undefined : await agent.shared(path);
      const hasChanged = await pauses.resume(repo);
      const left = repo === undefined ? undefined : pauses.of(repo.id);
      return { ...named(repo), ...(left === undefined ? {} : { pause: left }), hasChanged };
    }),
  };
}

function named(repo: { readonly name: string } | undefined): { readonly repo?: string } {
  return repo === undefined ? {} : { repo: repo.name };
}
