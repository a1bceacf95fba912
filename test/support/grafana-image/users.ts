import type { Asked, Grafana, Reply, Route } from './api.ts';
import { type Database, hashOf, type StoredUser } from './store.ts';

/** How long a wrong password counts, and how many lock the user out (pkg/services/loginattempt). */
const windowMs = 300_000;
const maxAttempts = 5;

/** Whether the user is known by the password; a wrong one counts, one for a locked user does not. */
export function authenticate({ database, log }: Grafana, login: string, password: string): StoredUser | undefined {
  const failed = (why: string): undefined => {
    const error = `[password-auth.failed] ${why}`;
    log(
      `logger=authn.service level=info msg="Failed to authenticate request" client=auth.client.basic error="${error}"`,
    );
  };
  const { users, failedLogins } = database.read();
  const name = login.toLowerCase();
  const recent = failedLogins.filter(({ at }) => at > Date.now() - windowMs);
  if (recent.filter((attempt) => attempt.login === name).length >= maxAttempts) {
    const what = 'too many consecutive incorrect login attempts for user';
    return failed(`${what} - login for user temporarily blocked`);
  }
  const user = users.find((stored) => stored.login.toLowerCase() === name);
  if (user !== undefined && user.password === hashOf(password)) return user.isDisabled ? undefined : user;
  database.update({ failedLogins: [...recent, { login: name, at: Date.now() }] });
  return failed('failed to authenticate identity: [password-auth.invalid] invalid password');
}

/** `grafana cli admin reset-admin-password` (pkg/cmd/grafana-cli/commands/reset_password_command.go). */
export function resetPassword(
  database: Database,
  args: readonly string[],
  stdin: string,
): { readonly exitCode: number; readonly stdout: string; readonly stderr: string } {
  const pattern =
    /^(?:grafana )?cli --homepath \/usr\/share\/grafana admin reset-admin-password --user-id (\d+) --password-from-stdin$/;
  const [, id] = pattern.exec(args.join(' ')) ?? [];
  if (id === undefined) return { exitCode: 2, stdout: '', stderr: `the stand-in cannot run ${args.join(' ')}\n` };
  const [password = ''] = stdin.split('\n');
  if (password.length < 4) {
    const stderr = "Error: ✗ the new password doesn't meet the password policy criteria\n";
    return { exitCode: 1, stdout: 'New Password: \n', stderr };
  }
  const { users } = database.read();
  const user = users.find((stored) => stored.id === Number(id));
  if (user === undefined) {
    const admins = users
      .filter(({ isAdmin }) => isAdmin)
      .map((admin) => `\t Username: ${admin.login} ID: ${admin.id}\n`);
    const head = 'Please try to run the command again specifying a user-id (--user-id) from the list below:\n';
    const stdout = ['New Password: \n', 'Admin user cannot be found ✘. \n', '\n', head, ...admins].join('\n');
    return { exitCode: 0, stdout, stderr: '' };
  }
  if (!user.isAdmin) return { exitCode: 0, stdout: 'New Password: \n', stderr: '' };
  change(database, user.id, { password: hashOf(password) });
  return { exitCode: 0, stdout: 'New Password: \n\nAdmin password changed successfully ✔\n', stderr: '' };
}

/** What server admins do with users, in the browser or by the API. */
export const userRoutes: readonly Route[] = [
  { pattern: /^GET \/api\/user$/, role: 'user', handle: self },
  { pattern: /^GET \/api\/users\/lookup\?loginOrEmail=([^&]+)$/, role: 'admin', handle: lookup },
  {
    pattern: /^POST \/api\/orgs$/,
    role: 'admin',
    handle: ({ grafana: { database } }) => {
      const { orgs } = database.read();
      const orgId = Math.max(...orgs) + 1;
      database.update({ orgs: [...orgs, orgId] });
      return { status: 200, body: { orgId, message: 'Organization created' } };
    },
  },
  {
    pattern: /^DELETE \/api\/orgs\/(\d+)$/,
    role: 'admin',
    handle: ({ one, grafana: { database } }) => {
      const { orgs, datasources } = database.read();
      const isOther = (id: number): boolean => id !== Number(one);
      database.update({ orgs: orgs.filter(isOther), datasources: datasources.filter(({ orgId }) => isOther(orgId)) });
      return { status: 200, body: { message: 'Organization deleted' } };
    },
  },
  {
    pattern: /^POST \/api\/user\/using\/(\d+)$/,
    role: 'user',
    handle: (asked) => {
      change(asked.grafana.database, asked.user?.id ?? 0, { orgId: Number(asked.one) });
      return { status: 200, body: { message: 'Active organization changed' } };
    },
  },
  { pattern: /^PUT \/api\/user\/password$/, role: 'user', handle: changeOwnPassword },
  { pattern: /^POST \/api\/admin\/users$/, role: 'admin', handle: add },
  { pattern: /^DELETE \/api\/admin\/users\/(\d+)$/, role: 'admin', handle: remove },
  {
    pattern: /^PUT \/api\/users\/(\d+)$/,
    role: 'admin',
    handle: (asked) => changed(asked, ({ login }) => ({ login: String(login) }), 'User updated'),
  },
  {
    pattern: /^PUT \/api\/admin\/users\/(\d+)\/permissions$/,
    role: 'admin',
    handle: (asked) =>
      changed(asked, ({ isGrafanaAdmin }) => ({ isAdmin: isGrafanaAdmin === true }), 'User permissions updated'),
  },
  {
    pattern: /^PUT \/api\/admin\/users\/(\d+)\/password$/,
    role: 'admin',
    handle: (asked) => {
      asked.grafana.database.update({ failedLogins: [] });
      return changed(asked, ({ password }) => ({ password: hashOf(String(password)) }), 'User password updated');
    },
  },
];

function change(database: Database, id: number, to: Partial<StoredUser>): void {
  const { users } = database.read();
  database.update({ users: users.map((user) => (user.id === id ? { ...user, ...to } : user)) });
}

function self({ user }: Asked): Reply {
  if (user === undefined) return { status: 401, body: { message: 'Unauthorized' } };
  const { id, login, isAdmin, isDisabled } = user;
  return { status: 200, body: { id, login, email: '', name: '', orgId: 1, isGrafanaAdmin: isAdmin, isDisabled } };
}

function changeOwnPassword({ text, user, grafana: { database } }: Asked): Reply {
  const { oldPassword, newPassword } = JSON.parse(text) as Record<'oldPassword' | 'newPassword', string>;
  if (user === undefined) return { status: 401, body: { message: 'Unauthorized' } };
  if (user.password !== hashOf(oldPassword)) return { status: 400, body: { message: 'Invalid old password' } };
  if (newPassword.length < 4) return { status: 400, body: { message: 'New password is too short' } };
  change(database, user.id, { password: hashOf(newPassword) });
  return { status: 200, body: { message: 'User password changed' } };
}

function lookup({ one, grafana: { database } }: Asked): Reply {
  const user = database.read().users.find(({ login }) => login === one);
  if (user === undefined) return { status: 404, body: { message: 'user not found' } };
  return { status: 200, body: { id: user.id, login: user.login, isGrafanaAdmin: user.isAdmin } };
}

function add({ text, grafana: { database } }: Asked): Reply {
  const { login, password } = JSON.parse(text) as Record<'login' | 'password', string>;
  const { users } = database.read();
  const id = Math.max(...users.map((user) => user.id)) + 1;
  const added = { id, login, password: hashOf(password), isAdmin: false, isDisabled: false };
  database.update({ users: [...users, added] });
  return { status: 200, body: { id, uid: `u${id}`, message: 'User created' } };
}

function remove({ one, grafana: { database } }: Asked): Reply {
  database.update({ users: database.read().users.filter(({ id }) => id !== Number(one)) });
  return { status: 200, body: { message: 'User deleted' } };
}

function changed(
  { one, text, grafana: { database } }: Asked,
  to: (body: Readonly<Record<string, unknown>>) => Partial<StoredUser>,
  message: string,
): Reply {
  change(database, Number(one), to(JSON.parse(text)));
  return { status: 200, body: { message } };
}
