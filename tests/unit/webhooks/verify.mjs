// What the library of Standard Webhooks for JavaScript makes of a delivery.
// usage: node verify.mjs SECRET HEADERS BODY ; headers as JSON; prints the body's document, or fails.
import { Webhook } from "standardwebhooks";

const [secret, headers, body] = process.argv.slice(2);
console.log(JSON.stringify(new Webhook(secret).verify(body, JSON.parse(headers))));
