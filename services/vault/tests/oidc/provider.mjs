// An OpenID provider on loopback for the tests of the vault: npm `oidc-provider` with its
// development interactions, behind a front that can answer late, be down, or hold its answer.
//
//   node provider.mjs FOLDER [ACCESS_TOKEN_SECONDS]
//
// FOLDER holds node_modules/oidc-provider. Prints `listening PORT`, and ends with its standard
// input. Besides the provider's own endpoints:
//   *    /api                      401 unless the bearer token is valid
//   *    /api/output               the same, as the output of a connector that hands it on
//   *    /api/never                401
//   GET  /control/calls            how often /api was called
//   POST /control/end              ends the access tokens shown to /api so far, before their time
//   GET  /control/refreshes        how often /token was asked for a refresh
//   GET  /control/elsewhere        how often a question came to /elsewhere, where none should
//   GET  /control/last             what the last refresh got: {status, error?}
//   GET  /control/issued           every token handed out so far
//   GET  /control/revocations      grants that were given back
//   POST /control/forget           the provider forgets every refresh token, as after a long time
//   POST /control/lifetime?is=N    access tokens live for N seconds from now on
//   POST /control/mode?is=MODE     how /token behaves from now on: see below
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { join } from 'node:path';

const [folder, seconds = '3600'] = process.argv.slice(2);
let lifetime = Number(seconds);
const require = createRequire(join(folder, 'node_modules', 'x.js'));
const { Provider } = await import(pathToFileURL(require.resolve('oidc-provider')));

const server = createServer();
await new Promise((ready) => server.listen(0, '127.0.0.1', ready));
const { port } = server.address();
const issuer = `http://127.0.0.1:${port}`;

const client = (id, callbacks) => ({
  client_id: id,
  application_type: 'native',
  token_endpoint_auth_method: 'none',
  grant_types: [
    'authorization_code',
    'refresh_token',
    'urn:ietf:params:oauth:grant-type:device_code',
  ],
  response_types: ['code'],
  redirect_uris: callbacks,
});

const provider = new Provider(issuer, {
  clients: [
    client('public', ['http://127.0.0.1/callback', 'http://127.0.0.1/v1/bindings/setup/oauth2/callback']),
    {
      ...client('secret', ['http://127.0.0.1/callback']),
      client_secret: 'client-secret-canary-31415926535',
      token_endpoint_auth_method: 'client_secret_post',
    },
  ],
  scopes: ['openid', 'offline_access', 'notes:read', 'notes:write'],
  features: { deviceFlow: { enabled: true }, revocation: { enabled: true } },
  pkce: { required: () => true },
  issueRefreshToken: async () => true,
  rotateRefreshToken: () => true,
  ttl: { AccessToken: () => lifetime, RefreshToken: 86400, DeviceCode: 600 },
  cookies: { keys: ['a key of the tests'] },
});
const handle = provider.callback();

const given = [];
provider.on('grant.success', (ctx) => given.push(ctx.oidc.entities.RefreshToken));
let revocations = 0;
provider.on('grant.revoked', () => (revocations += 1));

let mode = 'plain';
let refreshes = 0;
let last = {};
const issued = [];

const body = (request) =>
  new Promise((done) => {
    const parts = [];
    request.on('data', (part) => parts.push(part));
    request.on('end', () => done(Buffer.concat(parts)));
  });

const json = (response, status, value) => {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(value));
};

// What the front does with a question to /token:
//   plain     passes it on
//   late      passes it on and holds the answer back for two seconds
//   lost      passes it on, then breaks the connection without an answer
//   silent    passes it on and never answers
//   held      neither passes it on nor answers
//   down      500 without passing it on
//   moved     sends the question on to /elsewhere
//   flood     answers tokens in a body without end
//   page      answers a page where tokens should be
//   talkative refuses, with the form it was sent in its description
async function token(request, response) {
  const form = await body(request);
  const refresh = new URLSearchParams(form.toString()).get('grant_type') === 'refresh_token';
  if (refresh) refreshes += 1;
  const now = refresh ? mode : 'plain';
  if (now === 'held') return undefined;
  if (now === 'down') return json(response, 500, { error: 'server_error' });
  if (now === 'moved') {
    response.writeHead(307, { location: '/elsewhere' });
    return response.end();
  }
  if (now === 'flood') {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.write('{"access_token":"');
    const more = () => response.write('x'.repeat(65536)) && setImmediate(more);
    response.on('drain', more);
    return more();
  }
  if (now === 'page') {
    response.writeHead(200, { 'content-type': 'text/html' });
    return response.end(`<p>${form}</p>`);
  }
  if (now === 'talkative') {
    return json(response, 400, { error: 'invalid_scope', error_description: form.toString() });
  }
  const answer = await fetch(`http://127.0.0.1:${inner.address().port}/token`, {
    method: 'POST',
    headers: { 'content-type': request.headers['content-type'], accept: 'application/json' },
    body: form,
  });
  const text = await answer.text();
  const { access_token, refresh_token } = JSON.parse(text);
  issued.push(...[access_token, refresh_token].filter(Boolean));
  if (refresh) last = { status: answer.status, error: JSON.parse(text).error };
  if (now === 'lost') return request.socket.destroy();
  if (now === 'silent') return undefined;
  if (now === 'late') await new Promise((done) => setTimeout(done, 2000));
  response.writeHead(answer.status, { 'content-type': 'application/json' });
  return response.end(text);
}

const shown = new Set();
const ended = new Set();
let calls = 0;
let elsewhere = 0;

async function api(request, response) {
  calls += 1;
  const bearer = (request.headers.authorization ?? '').replace(/^Bearer /, '');
  shown.add(bearer);
  const known = bearer ? await provider.AccessToken.find(bearer) : undefined;
  if (!known || known.isExpired || ended.has(bearer)) return json(response, 401, { error: 'invalid_token' });
  const body = { scope: known.scope, method: request.method };
  return json(response, 200, request.url.endsWith('/output') ? { output: body } : body);
}

// The provider behind the front: it believes in the front's address.
const inner = createServer((request, response) => {
  request.headers.host = `127.0.0.1:${port}`;
  handle(request, response);
});
await new Promise((ready) => inner.listen(0, '127.0.0.1', ready));

server.on('request', (request, response) => {
  const url = new URL(request.url, issuer);
  if (url.pathname === '/control/refreshes') return json(response, 200, refreshes);
  if (url.pathname === '/control/calls') return json(response, 200, calls);
  if (url.pathname === '/control/last') return json(response, 200, last);
  if (url.pathname === '/control/mode') {
    mode = url.searchParams.get('is');
    return json(response, 200, mode);
  }
  if (url.pathname === '/control/lifetime') {
    lifetime = Number(url.searchParams.get('is'));
    return json(response, 200, lifetime);
  }
  if (url.pathname === '/control/end') {
    shown.forEach((bearer) => ended.add(bearer));
    return json(response, 200, ended.size);
  }
  if (url.pathname === '/control/issued') return json(response, 200, issued);
  if (url.pathname === '/control/revocations') return json(response, 200, revocations);
  if (url.pathname === '/control/forget') {
    return Promise.all(given.filter(Boolean).map((token) => token.destroy())).then(() =>
      json(response, 200, given.length),
    );
  }
  if (url.pathname === '/api/never') {
    calls += 1;
    return json(response, 401, { error: 'invalid_token' });
  }
  if (url.pathname === '/elsewhere') {
    elsewhere += 1;
    return json(response, 200, { access_token: 'of a stranger', token_type: 'bearer' });
  }
  if (url.pathname === '/control/elsewhere') return json(response, 200, elsewhere);
  if (url.pathname === '/api' || url.pathname === '/api/output') return api(request, response);
  if (url.pathname === '/token') return token(request, response);
  return handle(request, response);
});

console.log(`listening ${port}`);
process.stdin.on('end', () => process.exit(0)).resume();
