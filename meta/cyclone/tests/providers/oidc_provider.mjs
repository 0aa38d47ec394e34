// A certified OpenID provider for the login tests.
//
//   node oidc_provider.mjs REDIRECT_URI POST_LOGOUT_URI
//
// Prints its issuer URL on the first line. Any account name and password may log in. Tests drive
// it through /control/rotate (new signing keys; the old ones leave the JWKS) and /control/counts.

import { generateKeyPairSync, randomUUID } from "node:crypto";
import { createServer } from "node:http";

import Provider from "oidc-provider";

const [redirectUri, postLogoutUri] = process.argv.slice(2);
const counts = { jwks: 0, token: 0 };

function signingKeys() {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  return { keys: [{ ...privateKey.export({ format: "jwk" }), kid: randomUUID(), use: "sig" }] };
}

function makeProvider(issuer) {
  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: "cyclone",
        client_secret: "a-secret-of-the-tests",
        redirect_uris: [redirectUri],
        post_logout_redirect_uris: [postLogoutUri],
        grant_types: ["authorization_code", "refresh_token"],
        response_types: ["code"],
      },
      {
        client_id: "somebody-else",
        client_secret: "another-secret-of-the-tests",
        redirect_uris: [redirectUri],
        grant_types: ["authorization_code"],
        response_types: ["code"],
      },
    ],
    claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["name"] },
    cookies: { keys: ["only-for-tests"] },
    features: { devInteractions: { enabled: true }, rpInitiatedLogout: { enabled: true } },
    jwks: signingKeys(),
    pkce: { required: () => true },
    findAccount: (ctx, id) => ({
      accountId: id,
      claims: () => ({ sub: id, name: `Person ${id}`, email: `${id}@example.com`, email_verified: true }),
    }),
    issueRefreshToken: async (ctx, client, code) => code.scopes.has("offline_access"),
    ttl: { AccessToken: 600, AuthorizationCode: 60, IdToken: 600, RefreshToken: 3600, Session: 3600, Grant: 3600, Interaction: 600 },
  });
  return provider.callback();
}

let handler;
const server = createServer((request, response) => {
  if (request.url === "/control/rotate") {
    handler = makeProvider(issuer);
    response.end("rotated\n");
    return;
  }
  if (request.url === "/control/counts") {
    response.end(JSON.stringify(counts));
    return;
  }
  if (request.url.startsWith("/jwks")) counts.jwks += 1;
  if (request.url.startsWith("/token")) counts.token += 1;
  handler(request, response);
});
let issuer;
server.listen(0, "127.0.0.1", () => {
  issuer = `http://127.0.0.1:${server.address().port}`;
  handler = makeProvider(issuer);
  console.log(issuer);
});
