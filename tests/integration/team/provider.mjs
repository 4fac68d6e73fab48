// An OpenID provider on the loopback: panva's oidc-provider, with people whose claims are given as JSON.
// usage: node provider.mjs PORT REDIRECT_URI PEOPLE ; PEOPLE: {"subject": {"email": ..., "email_verified": ...}}
import Provider from "oidc-provider";

const [port, redirectUri, people] = [process.argv[2], process.argv[3], JSON.parse(process.argv[4])];
const issuer = `http://127.0.0.1:${port}`;
const provider = new Provider(issuer, {
  clients: [{ client_id: "muster", client_secret: "a secret of the provider", redirect_uris: [redirectUri] }],
  claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["name"] },
  cookies: { keys: ["a key"] },
  findAccount: (context, sub) => ({ accountId: sub, claims: async () => ({ sub, ...people[sub] }) }),
});
provider.listen(Number(port), "127.0.0.1", () => console.log("ready"));
