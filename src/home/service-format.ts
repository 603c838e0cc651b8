// The texts of a service: a unit for systemd's user manager (systemd.service(5), systemd.exec(5), systemd.syntax(7)), an agent for launchd
// (launchd.plist(5)), and what systemctl answers. Rule: whatever a path holds, it comes out as that path or is refused; a restriction stands here
// only if git, ssh, credential helpers and a person's hooks work under it (docs/decisions/0047-a-service-of-ones-own.md).

import { createHash } from 'node:crypto';
import { Fault } from '../lib/errors.ts';

/** What a service runs. All paths are absolute. */
export interface ServicePlan {
  readonly node: string;
  /** The agent's program. */
  readonly program: string;
  /** Folder of the agent's home. */
  readonly home: string;
  /** Set for the agent beside GIT_XMPP_HOME. */
  readonly environment: Readonly<Record<string, string>>;
  /** For launchd, which has no journal. */
  readonly log: string;
}

/** Told to the agent's program: who starts it again when it ends (agent/process.ts). */
export const SUPERVISED = '--service';

/** Told to it by a command that leaves it running: nobody starts it again. */
export const BACKGROUND = '--background';

/** The agent ended to be started again, by a newer program; systemd.exec(5) and sysexits.h leave 75 to such. */
export const START_AGAIN = 75;

/** Exit code of an agent that found another one on its home: starting it again would end the same way. */
export const ALREADY_RUNNING = 3;

const NAME = 'git-xmpp';

/** Of a home that is not the usual one, 12 digits of its SHA-256; so each home has a service of its own. @param home undefined for the usual one */
function nameFor(home: string | undefined): string {
  return home === undefined ? NAME : `${NAME}-${createHash('sha256').update(home).digest('hex').slice(0, 12)}`;
}

/** The name of a home's unit, such as `git-xmpp.service`. @param home undefined for the usual one */
export function unitName(home: string | undefined): string {
  return `${nameFor(home)}.service`;
}

/** The label of a home's agent of launchd, such as `org.git-xmpp.agent`. */
export function launchdLabel(home: string | undefined): string {
  return nameFor(home).replace(NAME, 'org.git-xmpp.agent');
}

/** The unit's text. @throws Fault `bad-config` for a path with a control character */
export function formatUnit(plan: ServicePlan): string {
  const environment = { GIT_XMPP_HOME: plan.home, ...plan.environment };
  return `# Written by "git xmpp service install", removed by "git xmpp service uninstall". Changes of your own: systemctl --user edit.
[Unit]
Description=git-xmpp: keeps git repositories in sync
Documentation=man:git-xmpp(1)
StartLimitIntervalSec=10min
StartLimitBurst=30

[Service]
Type=exec
${formatExecStart(plan)}
${Object.entries(environment).map(([name, value]) => `Environment=${quote(`${name}=${value}`)}`).join('\n')}
WorkingDirectory=/
SyslogIdentifier=git-xmpp
StandardOutput=journal
StandardError=journal
Restart=on-failure
RestartSec=2s
SuccessExitStatus=${START_AGAIN}
RestartForceExitStatus=${START_AGAIN}
RestartPreventExitStatus=${ALREADY_RUNNING}
KillMode=mixed
TimeoutStopSec=20s
OOMPolicy=continue
NoNewPrivileges=yes
LockPersonality=yes
RestrictRealtime=yes
SystemCallArchitectures=native
SystemCallFilter=~@cpu-emulation @module @obsolete @raw-io @reboot @swap
SystemCallErrorNumber=EPERM
RestrictAddressFamilies=~AF_ALG AF_BLUETOOTH AF_CAN AF_PACKET

[Install]
WantedBy=default.target
`;
}

/** The unit's line that says what is run; with the colon, nothing in it is taken for a variable. */
export function formatExecStart({ node, program }: Pick<ServicePlan, 'node' | 'program'>): string {
  return `ExecStart=:${[node, program, SUPERVISED].map(quote).join(' ')}`;
}

/** One word of a unit: in quotes, with C's escapes, and no specifiers (systemd.syntax(7), "Quoting"; systemd.unit(5), "Specifiers"). */
function quote(text: string): string {
  return `"${checked(text).replace(/[\\"]/g, String.raw`\$&`).replaceAll('%', '%%')}"`;
}

function checked(text: string): string {
  if (!/\p{Cc}/u.test(text)) return text;
  throw new Fault('bad-config', `a service cannot name ${JSON.stringify(text)}: it holds a control character`, { remedy: 'use a path without one' });
}

/** The property list's text. @throws Fault `bad-config` for a path with a control character */
export function formatPlist(plan: ServicePlan, label: string): string {
  const environment = Object.entries({ GIT_XMPP_HOME: plan.home, ...plan.environment });
  const strings = (values: readonly string[]): string => values.map((value) => `    <string>${escapeXml(value)}</string>`).join('\n');
  return `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
  <key>Label</key>
  <string>${escapeXml(label)}</string>
  <key>ProgramArguments</key>
  <array>
${strings([plan.node, plan.program, SUPERVISED])}
  </array>
  <key>EnvironmentVariables</key>
  <dict>
${environment.map(([name, value]) => `    <key>${escapeXml(name)}</key>\n    <string>${escapeXml(value)}</string>`).join('\n')}
  </dict>
  <key>WorkingDirectory</key>
  <string>/</string>
  <key>RunAtLoad</key>
  <true/>
  <key>KeepAlive</key>
  <dict>
    <key>SuccessfulExit</key>
    <false/>
  </dict>
  <key>ThrottleInterval</key>
  <integer>10</integer>
  <key>ExitTimeOut</key>
  <integer>20</integer>
  <key>StandardOutPath</key>
  <string>${escapeXml(plan.log)}</string>
  <key>StandardErrorPath</key>
  <string>${escapeXml(plan.log)}</string>
</dict>
</plist>
`;
}

function escapeXml(text: string): string {
  return checked(text).replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/** What `systemctl show` and `loginctl show-user` answer: a line `Name=value` each (systemctl(1), "show"). */
export function parseProperties(text: string): ReadonlyMap<string, string> {
  return new Map(text.split('\n').flatMap((line) => {
    const at = line.indexOf('=');
    return at > 0 ? [[line.slice(0, at), line.slice(at + 1)] as const] : [];
  }));
}

const PRIORITIES: Readonly<Record<string, number>> = { debug: 7, info: 6, warn: 4 };

/** A line of the agent's log as the journal takes it: its level as a prefix (sd-daemon(3)), and no time, which the journal has itself. */
export function formatJournalLine(line: string): string {
  const [, level = '', said = line] = /^\d{4}-\d\d-\d\dT\S+ (debug|info|warn) (.*)$/s.exec(line) ?? [];
  return `<${PRIORITIES[level] ?? PRIORITIES['info']}>${said}`;
}
