// SPDX-License-Identifier: Apache-2.0
// oauth.mjs PORT ID SECRET TTL: an OAuth 2 authorization server that checks its clients, and a resource that checks its tokens; see oauth.sh.
import { createHash, createPublicKey, verify } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

const [port, id, secret, ttl] = process.argv.slice(2);
const { default: Provider } = await import(pathToFileURL(`${process.env.NPM_DIR}/node_modules/oidc-provider/lib/index.js`));
const issuer = `http://127.0.0.1:${port}`;
const jwtBearer = 'urn:ietf:params:oauth:grant-type:jwt-bearer';

const client = (client_id, token_endpoint_auth_method, more = {}) => ({
  client_id, client_secret: secret, token_endpoint_auth_method, grant_types: ['client_credentials'], redirect_uris: [], response_types: [],
  ...more,
});

const provider = new Provider(issuer, {
  clients: [
    client(id, 'client_secret_basic'),
    client(`${id}-post`, 'client_secret_post', { grant_types: ['client_credentials', jwtBearer] }),
    client(`${id}-web`, 'client_secret_post', {
      grant_types: ['authorization_code', 'refresh_token'], redirect_uris: ['https://app.example/back'], response_types: ['code'],
    }),
    client(`${id}-native`, 'client_secret_post', {
      grant_types: ['authorization_code', 'refresh_token'], redirect_uris: ['http://127.0.0.1/'], response_types: ['code'], application_type: 'native',
    }),
  ],
  scopes: ['openid', 'offline_access', 'read', 'write'],
  features: {
    clientCredentials: { enabled: true },
    introspection: { enabled: true },
    revocation: { enabled: true },
    devInteractions: { enabled: false },
  },
  pkce: { required: () => true },
  issueRefreshToken: () => true,
  rotateRefreshToken: true,
  ttl: { AccessToken: Number(ttl), ClientCredentials: Number(ttl), RefreshToken: 3600, Grant: 3600, Session: 3600, Interaction: 600 },
  interactions: { url: (ctx, interaction) => `/interaction/${interaction.uid}` },
  findAccount: (ctx, sub) => ({ accountId: sub, claims: () => ({ sub }) }),
  cookies: { keys: ['for tests only'] },
});

// Assertions signed with the key of DIR/assertion.pub, which a test puts there.
provider.registerGrantType(jwtBearer, async (ctx, next) => {
  const refuse = (words) => { ctx.status = 400; ctx.body = { error: 'invalid_grant', error_description: words }; };
  const [head, claims, signature] = ctx.oidc.params.assertion.split('.');
  const read = (part) => JSON.parse(Buffer.from(part, 'base64url'));
  const key = { key: createPublicKey(readFileSync(`${process.env.KEY_DIR}/assertion.pub`)), dsaEncoding: 'ieee-p1363' };
  if (!verify('sha256', Buffer.from(`${head}.${claims}`), key, Buffer.from(signature, 'base64url'))) return refuse('bad signature');
  const { aud, exp, iss } = read(claims);
  if (aud !== `${issuer}/token`) return refuse(`not for ${aud}`);
  if (exp < Date.now() / 1000) return refuse('too old');
  const token = new provider.ClientCredentials({ client: ctx.oidc.client, scope: iss });
  ctx.body = { access_token: await token.save(), token_type: 'Bearer', expires_in: token.expiration };
  console.error('grant.success', ctx.oidc.client.clientId);
  return next();
}, ['assertion', 'scope']);

for (const event of ['grant.success', 'grant.error']) {
  provider.on(event, (ctx, error) => console.error(event, ctx.oidc?.client?.clientId ?? '-', error?.message ?? ''));
}

provider.use(async (ctx, next) => {
  // Whoever comes is let in, as TEST_USER, and allows everything, unless login_hint is "deny".
  if (ctx.path.startsWith('/interaction/')) {
    const { params, session, grantId } = await provider.interactionDetails(ctx.req, ctx.res);
    ctx.respond = false;
    if (params.login_hint === 'deny') {
      await provider.interactionFinished(ctx.req, ctx.res, { error: 'access_denied', error_description: 'the person said no' });
      return undefined;
    }
    const grant = (grantId && await provider.Grant.find(grantId)) || new provider.Grant({ accountId: session?.accountId ?? id, clientId: params.client_id });
    grant.addOIDCScope(params.scope);
    const result = { login: { accountId: id }, consent: { grantId: await grant.save() } };
    await provider.interactionFinished(ctx.req, ctx.res, result, { mergeWithLastSubmission: true });
    return undefined;
  }
  if (ctx.path !== '/resource') return next();
  const token = ctx.get('authorization').replace(/^Bearer /, '');
  const found = token && (await provider.ClientCredentials.find(token) ?? await provider.AccessToken.find(token));
  if (found && !found.isExpired) {
    ctx.body = { client: found.clientId, scope: found.scope ?? null, token: createHash('sha256').update(token).digest('hex') };
  } else {
    ctx.status = 401;
    ctx.set('www-authenticate', 'Bearer error="invalid_token"');
    ctx.body = `the token ${token} is of no use`;
  }
  return undefined;
});
provider.listen(Number(port), '127.0.0.1');
